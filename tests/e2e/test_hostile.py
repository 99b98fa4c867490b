"""Trials that do harm through a real kubelet and Prometheus, beside a study that notices none."""

import json
from typing import Any

import pytest

from kubetune.domain.result import METRIC_NAME
from kubetune.domain.samples import METRIC_LIMIT
from tests.e2e.lab import Lab, Study, python

HONEST = """
import pathlib, time
from kubetune_trainer import Trial

with Trial.from_environment() as trial:
    for step in trial.steps(2):
        trial.report(loss=1 / step)
        while step == 1 and not pathlib.Path("/lab/go").exists() and not trial.should_stop:
            time.sleep(0.05)
"""

HARM = """
import json, os, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

kind, victim = os.environ["KUBETUNE_PARAM_kind"], json.loads(os.environ["VICTIM"])
forged = ",".join(f'{name}="{value}"' for name, value in victim.items())
names = ["loss' OR 1=1; --", 'loss"} or vector(99) or {a=\\\\"', "../../etc", "l" * 5000, "<b>"]
escaped = [name.replace("\\\\", "\\\\\\\\").replace('"', '\\\\"') for name in names]
shown = {
    "labels": [
        f'kubetune_trial_metric{{name="loss",{forged}}} 99',
        f'kubetune_trial_metric_step{{name="loss",{forged}}} 7',
        f"kubetune_trial_step{{{forged}}} 7",
        f"kubetune_trial_progress_ratio{{{forged}}} 1",
    ],
    "series": [
        "kubetune_trial_step 1",
        *(f'kubetune_trial_metric{{name="m{n}"}} {n}' for n in range(10_000)),
    ],
    "nan": ["kubetune_trial_step 1", 'kubetune_trial_metric{name="loss"} NaN'],
    "infinite": ["kubetune_trial_step 1", 'kubetune_trial_metric{name="loss"} -Inf'],
    "steps": [
        "kubetune_trial_step +Inf",
        "kubetune_trial_progress_ratio 1e308",
        'kubetune_trial_metric{name="loss"} -1',
        'kubetune_trial_metric{name="early"} -1',
        'kubetune_trial_metric_step{name="early"} -5',
        'kubetune_trial_metric{name="never"} -1',
        'kubetune_trial_metric_step{name="never"} NaN',
    ],
    "names": [
        "kubetune_trial_step 1",
        *(f'kubetune_trial_metric{{name="{name}"}} 99' for name in escaped),
    ],
    "stranger": ["kubetune_trial_step 9", 'kubetune_trial_metric{name="loss"} 99'],
    "noise": ["\\x00\\xff{{{", "kubetune_trial_step"],
}.get(kind, [])

class Page(BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self):
        Page.asked += 1
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write("\\n".join([*shown, ""]).encode())

server = HTTPServer(("", 9464), Page)
while kind in {"nan", "infinite", "stranger"} or Page.asked < 4:
    server.handle_request()
result = {"schema": 1, "state": "Complete", "metrics": {"loss": 0.3}}
open("/dev/termination-log", "w").write(json.dumps(result))
"""
"""Shows what it should not, says how it went after four scrapes, or never ends by itself."""

ENDS = {
    "labels": ("Complete", "", 0.3),
    "series": ("Complete", "", 0.3),
    "nan": ("Failed", "Diverged", None),
    "infinite": ("Failed", "Diverged", None),
    "steps": ("Complete", "", 0.3),
    "names": ("Complete", "", 0.3),
    "noise": ("Complete", "", 0.3),
}

STATUS_LIMIT = 16_384
"""In bytes; a status of seven trials of one parameter."""


class Scene:
    """An honest trial that runs while others show and say what they like.

    One of them is no trial at all: a pod that somebody has given the honest trial's labels.
    """

    def __init__(self, lab: Lab) -> None:
        self.lab = lab
        self.honest = lab.study(
            python(HONEST),
            guards=[{"name": "high", "when": "metrics.loss > 5.0", "outcome": "Failed"}],
        )
        self.honest.until(lambda: self.honest.active.get(0, {}).get("value") == 1, "its values")
        (self.pod,) = self.honest.pods
        self._disguise()
        self.hostile = self._study()
        self.hostile.until(lambda: self.seen("exported_pod"), "forged labels to be scraped")
        self.hostile.until(lambda: self.seen("stranger"), "the stranger to be scraped")
        self.trials = self.hostile.finish()
        self.meanwhile = self.honest.status
        self.honest.signal("go")
        self.honest.finish()

    def seen(self, where: str) -> object:
        """What the real Prometheus has of the forgeries."""
        name = self.pod["metadata"]["name"]
        wanted = {"exported_pod": f'exported_pod="{name}"', "stranger": 'pod="stranger"'}[where]
        return self.lab.cluster.prometheus.query(f"kubetune_trial_metric{{{wanted}}} == 99")

    def _study(self) -> Study:
        kind = {"name": "kind", "type": "Categorical", "values": list(ENDS)}
        return self.lab.study(
            python(HARM, env=self._told(self.pod)),
            parameters=[kind],
            initialTrials=[{"name": name, "parameters": {"kind": name}} for name in ENDS],
            trials={"max": len(ENDS), "parallelism": 4},
            mounted=False,
        )

    def _disguise(self) -> None:
        container = python(HARM, name="trainer", imagePullPolicy="IfNotPresent")
        container["env"] = [
            *self._told(self.pod),
            {"name": "KUBETUNE_PARAM_kind", "value": "stranger"},
        ]
        container["ports"] = [{"name": "metrics", "containerPort": 9464}]
        labels = self.pod["metadata"]["labels"].items()
        labels = {name: value for name, value in labels if "kubetune" in name + value}
        body = {
            "metadata": {"name": "stranger", "labels": labels},
            "spec": {"containers": [container], "terminationGracePeriodSeconds": 0},
        }
        self.lab.cluster.plane.request(
            "POST", f"/api/v1/namespaces/{self.lab.namespace}/pods", body
        )

    @staticmethod
    def _told(pod: dict[str, Any]) -> list[dict[str, str]]:
        meta = pod["metadata"]
        labels = {
            name.replace("kubetune.io/", "kubetune_io_").replace("-", "_"): value
            for name, value in meta["labels"].items()
            if name.startswith("kubetune.io/")
        }
        labels |= {"namespace": meta["namespace"], "pod": meta["name"]}
        return [{"name": "VICTIM", "value": json.dumps(labels)}]


@pytest.fixture(scope="module")
def scene(lab: Lab) -> Scene:
    return Scene(lab)


@pytest.mark.parametrize("kind", ENDS)
def test_what_is_shown_is_taken_for_what_it_is(scene: Scene, kind: str) -> None:
    """A value that is no number ends its own trial; what cannot be read is left aside."""
    (trial,) = (each for each in scene.trials.values() if each.parameters["kind"] == kind)
    assert trial.outcome is not None
    assert (trial.state, trial.outcome.reason, trial.value) == ENDS[kind]
    assert trial.attempt == 1


def test_nothing_but_names_and_numbers_is_stored(scene: Scene) -> None:
    """Metrics that no trial may name are not there, and of ten thousand a hundred at most."""
    for trial in scene.trials.values():
        for point in trial.curve:
            assert all(METRIC_NAME.fullmatch(name) for name in point.metrics)
            assert len(point.metrics) <= METRIC_LIMIT + 1
            assert 0 <= point.step < 10


def test_the_study_beside_them_notices_nothing(scene: Scene) -> None:
    """Its curve has its own values alone, its guard does not hold, its trial is not doubled."""
    (trial,) = scene.honest.trials.values()
    assert [(point.step, dict(point.metrics)) for point in trial.curve] == [
        (1, {"loss": 1.0}),
        (2, {"loss": 0.5}),
    ]
    assert (trial.state, trial.value, trial.attempt) == ("Complete", 0.5, 1)
    (shown,) = scene.meanwhile["active"]
    assert (shown["step"], shown["value"]) == (1, 1)
    assert "messages" not in scene.meanwhile


def test_the_operator_stays_well_and_its_status_small(scene: Scene) -> None:
    """It answers its probe, logs no failure of its own, and says no more than a status may hold."""
    assert scene.lab.operator.healthy()
    assert "Traceback" not in scene.lab.operator.log
    assert len(json.dumps(scene.hostile.status)) < STATUS_LIMIT
