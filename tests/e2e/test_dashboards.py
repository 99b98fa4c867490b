"""Every question of every dashboard has an answer, after a study in which everything occurred.

With KUBETUNE_DRAWINGS=FOLDER the study takes its time, and each panel is drawn there as a person
would see it.
"""

import math
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

from tests.chart import drawing
from tests.chart.boards import NAMES, Query, queries
from tests.e2e.lab import Lab, Study, python

DRAWINGS = os.environ.get("KUBETUNE_DRAWINGS", "")
PACE = "1.0" if DRAWINGS else "0.2"

TRIAL = """
import math, os, pathlib, sys, time
from kubetune_trainer import Trial

with Trial.from_environment() as trial:
    x, y, pace = trial.parameters["x"], trial.parameters["y"], float(os.environ["PACE"])
    for step in trial.steps(9):
        time.sleep(pace)
        if x == 0.9:
            sys.exit(1)
        loss = abs(x - 0.3) + math.exp(-step / 3) + (2 if x == 0.7 else 0)
        trial.report(
            step * 100,
            loss=loss + 0.05, train_loss=loss, eval_accuracy=1 - loss / 4,
            learning_rate=1e-4 * math.cos(step / 6), gradient_norm=99 if x == 0.8 else 1 / step,
            weight_norm=30 + step, gradient_explosions=float(x == 0.8), skipped_steps=0,
            tokens_per_second=2e4 + 100 * step, step_seconds=pace / 100,
            gpu_memory_peak_bytes=6e9 + step * 1e8,
        )
        while not trial.should_stop and (
            x == 0.7 or (x == 0.3 and step == 5 and not pathlib.Path("/lab/go").exists())
        ):
            time.sleep(0.05)
"""
"""It learns as well as x is near 0.3, and reports what the recipes report under the same names.

That of x = 0.7 goes on until it is pruned, that of 0.3, the best, until it was scraped.
"""

INITIAL = {"known": 0.5, "good": 0.3, "crashing": 0.9, "wild": 0.8, "poor": 0.7}

SPEC: dict[str, Any] = {
    "parameters": [
        {"name": "x", "type": "Double", "min": 0, "max": 1},
        {"name": "y", "type": "Double", "min": 0, "max": 1},
        {"name": "units", "type": "Integer", "values": [32, 64, 128]},
    ],
    "sampler": {"algorithm": "Random", "seed": 7},
    "constraints": [{"name": "small-product", "require": "x * y < 0.25"}],
    "initialTrials": [
        {"name": name, "baseline": name == "known", "parameters": {"x": x, "y": 0.1, "units": 32}}
        for name, x in INITIAL.items()
    ],
    "pruner": {"algorithm": "ASHA", "minResource": 100, "maxResource": 900, "reductionFactor": 2},
    "guards": [{"name": "runaway", "when": "metrics.gradient_norm > 10.0", "outcome": "Failed"}],
    "outcomes": [{"name": "usable", "when": "state == 'Complete' && metrics.loss < 0.5"}],
    "stopping": {"budget": {"gpuHours": 0.1, "wallClockSeconds": 600}},
    "trials": {"max": 16 if DRAWINGS else 8, "parallelism": 3},
}


@dataclass(frozen=True)
class Asked:
    """A Prometheus as Grafana asks it, for the time since `start`."""

    lab: Lab
    study: Study
    start: float

    def answer(self, query: Query, trial: int) -> list[dict[str, Any]]:
        """The series of a query; of one that is asked for now, each has one value."""
        prometheus, now = self.lab.cluster.prometheus, time.time()
        text = query.filled(
            namespace=self.study.namespace,
            study=self.study.name,
            trial=str(trial) if query.board == "trial" else ".*",
            metric="train_loss",
            __rate_interval="15s",
            __range=f"{math.ceil(now - self.start)}s",
        )
        if query.instant:
            found = prometheus.query(text)
            return [{**each, "values": [each["value"]]} for each in found]
        return prometheus.query_range(text, self.start, now, 1)


class Page(BaseHTTPRequestHandler):
    """What kube-state-metrics, cAdvisor and DCGM's exporter would say of the study's pods."""

    study: Study

    def do_GET(self) -> None:
        """None of them is on the test cluster: their names and labels are as they document them."""
        body = "\n".join(
            [
                'kube_node_status_allocatable{node="n",resource="nvidia_com_gpu"} 4',
                *self._pods(),
                "",
            ]
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Says nothing."""

    def _pods(self) -> Iterator[str]:
        running = [pod for pod in self.study.pods if pod["status"].get("phase") == "Running"]
        for pod in running:
            number = int(pod["metadata"]["labels"]["kubetune.io/trial"]) % 2
            of = f'namespace="{self.study.namespace}",pod="{pod["metadata"]["name"]}"'
            asked = f'{of},node="n",container="trainer",resource="nvidia_com_gpu"'
            yield f'kube_pod_status_phase{{{of},phase="Running"}} 1'
            yield f"kube_pod_container_resource_requests{{{asked}}} 1"
            yield f'container_memory_working_set_bytes{{{of},container="trainer"}} 2.5e9'
            yield f'DCGM_FI_DEV_GPU_UTIL{{{of},gpu="{number}"}} {80 + number}'
            yield f'DCGM_FI_DEV_FB_USED{{{of},gpu="{number}"}} 6400'


@contextmanager
def scraped(lab: Lab, study: Study) -> Iterator[None]:
    """Prometheus scrapes the operator, and what stands for the cluster's other exporters."""
    page = type("Page", (Page,), {"study": study})
    server = ThreadingHTTPServer(("127.0.0.1", 0), page)
    Thread(target=server.serve_forever, daemon=True).start()
    lab.cluster.prometheus.set_targets(
        f"127.0.0.1:{lab.operator.metrics_port}", f"127.0.0.1:{server.server_port}"
    )
    try:
        yield
    finally:
        lab.cluster.prometheus.set_targets()
        server.shutdown()
        server.server_close()


def finite(series: list[dict[str, Any]]) -> bool:
    """Whether any value is a number."""
    return any(math.isfinite(float(text)) for each in series for _, text in each["values"])


def test_every_panel_has_something_to_show(lab: Lab) -> None:
    """Asked as Grafana asks, of a real Prometheus that a real run has filled."""
    start = time.time()
    gpu = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
    study = lab.study(python(TRIAL, env=[{"name": "PACE", "value": PACE}], **gpu), **SPEC)
    with scraped(lab, study):
        good = f'kubetune_trial_step{{kubetune_io_study="{study.name}",kubetune_io_trial="1"}}'
        study.until(lambda: lab.cluster.prometheus.query(good), "the best trial to be scraped")
        study.signal("go")
        ended = study.finish()
        reasons = {trial.outcome.reason for trial in ended.values() if trial.outcome}
        assert {"", "Pruned", "GuardTripped", "Crashed"} <= reasons
        assert study.status["best"]["number"] == 1
        every = [query for name in NAMES for query in queries(name)]
        asked = Asked(lab, study, start)
        told = f'kubetune_study_phase{{study="{study.name}",phase="Succeeded"}}'
        study.until(lambda: lab.cluster.prometheus.query(told), "the end to be scraped")
        answers = {query: asked.answer(query, 1) for query in every}
    if DRAWINGS:
        drawing.keep(answers, start, Path(DRAWINGS))
        drawing.draw(answers, start, Path(DRAWINGS))
    empty = [str(query) for query, series in answers.items() if not finite(series)]
    assert not empty
