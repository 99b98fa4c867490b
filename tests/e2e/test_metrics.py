"""What live metrics do for trials on a real node, and what happens without them."""

import json

from kubetune.domain.trial import Trial
from tests.e2e.lab import LOSS, Lab, python

LIVE = """
import pathlib, time
from kubetune_trainer import Trial

def waits(name):
    while not trial.should_stop and not pathlib.Path("/lab", name).exists():
        time.sleep(0.05)

with Trial.from_environment() as trial:
    kind = trial.parameters["kind"]
    for step in trial.steps(27 if kind == "good" else 9):
        if kind == "turns" and step == 2:
            waits("turn")
        trial.report(
            loss={"good": 0.1, "late": 0.01, "poor": 0.9, "wild": 0.05, "steady": 0.02}.get(
                kind, 0.01 if step == 1 else 0.9
            ),
            gradient=100 if kind == "wild" else 1,
        )
        if kind in {"late", "steady"} and step == 3:
            waits("go")
        if kind in {"poor", "wild", "turns"} and step == 9:
            waits("nothing")
    pathlib.Path("/lab", f"record-{trial._order.trial}").write_text(
        "stopped" if trial.should_stop else "done"
    )
"""
"""Trials whose losses are known. Without a word from outside some of them never end."""

FOREIGN = """
import os
from http.server import BaseHTTPRequestHandler, HTTPServer

class Page(BaseHTTPRequestHandler):
    asked = 0

    def do_GET(self):
        Page.asked += 1
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(f"app_loss 0.{Page.asked}\\n".encode())
        self.wfile.write(b'app_part{a="1"} 1\\napp_part 2\\n')

server = HTTPServer(("", 9464), Page)
while os.environ["KUBETUNE_PARAM_kind"] == "serves" and Page.asked < 4:
    server.handle_request()
if os.environ["KUBETUNE_PARAM_kind"] == "says":
    open("/dev/termination-log", "w").write(os.environ["RESULT"])
"""
"""A program that knows nothing of kubetune and shows numbers of its own, or none at all."""

RUNGS = {"algorithm": "ASHA", "minResource": 1, "maxResource": 100, "reductionFactor": 3}
RUNAWAY = {"name": "runaway", "when": "metrics.gradient > 10.0", "outcome": "Failed"}


def kinds(*names: str) -> dict[str, object]:
    """Fields of a study with one trial of each kind, in this order."""
    return {
        "parameters": [{"name": "kind", "type": "Categorical", "values": list(names)}],
        "initialTrials": [{"name": name, "parameters": {"kind": name}} for name in names],
    }


def by_kind(trials: dict[int, Trial]) -> dict[str, tuple[str, str]]:
    """State and reason of each trial."""
    return {
        str(trial.parameters["kind"]): (trial.state, trial.outcome.reason if trial.outcome else "")
        for trial in trials.values()
    }


def test_live_values_end_bad_trials_early(lab: Lab) -> None:
    """ASHA prunes a poor trial, a guard fails a wild one, a good one goes on to its end."""
    study = lab.study(
        python(LIVE),
        **kinds("good", "poor", "wild", "steady"),
        trials={"max": 4},
        pruner=RUNGS,
        guards=[RUNAWAY],
    )
    study.until(lambda: study.active.get(3, {}).get("step") == 3, "live values of the last trial")
    assert study.active[3]["value"] == 0.02
    study.signal("go")
    trials = study.finish()
    assert by_kind(trials) == {
        "good": ("Complete", ""),
        "poor": ("Pruned", "Pruned"),
        "wild": ("Failed", "GuardTripped"),
        "steady": ("Complete", ""),
    }
    study.until(lambda: not study.pods, "the last pod to have stopped")
    assert [study.record(n) for n in range(4)] == [["done"], ["stopped"], ["stopped"], ["done"]]


def test_without_prometheus_results_arrive_and_nothing_is_pruned(lab: Lab) -> None:
    """An outage in the middle is said in the status; what it held up is done once it is over."""
    study = lab.study(
        python(LIVE),
        **kinds("good", "turns", "late"),
        objectives=[{**LOSS, "summary": "Last"}],
        trials={"max": 3, "parallelism": 3},
        pruner=RUNGS,
    )
    study.until(
        lambda: study.active.get(1, {}).get("step") == 1 and study.status["trials"]["complete"],
        "live values, and something to compare them with",
    )
    assert study.condition("MetricsReachable") == ("True", "AsExpected")
    lab.cluster.prometheus.stop()
    try:
        study.until(lambda: study.condition("MetricsReachable")[0] == "False", "the outage")
        assert study.condition("MetricsReachable")[1] == "MetricsUnreachable"
        study.signal("turn")
        study.signal("go")
        study.until(lambda: study.status["trials"]["complete"] == 2, "a result without Prometheus")
        assert list(study.active) == [1]
        assert not study.record(1)
    finally:
        lab.cluster.prometheus.start()
    study.until(lambda: study.condition("MetricsReachable")[0] == "True", "Prometheus")
    assert by_kind(study.finish()) == {
        "good": ("Complete", ""),
        "turns": ("Pruned", "Pruned"),
        "late": ("Complete", ""),
    }
    study.until(lambda: not study.pods, "the last pod to have stopped")
    assert study.record(1) == ["stopped"]


def test_a_container_that_knows_nothing_of_us_is_a_trial(lab: Lab) -> None:
    """A query gives it its value; without any value it ends MetricsMissing, and others go on.

    A query that cannot be read as one value a trial is said in the status and stops nothing.
    """
    result = {"schema": 1, "state": "Complete", "metrics": {"loss": 0.9}}
    study = lab.study(
        python(FOREIGN, env=[{"name": "RESULT", "value": json.dumps(result)}]),
        **kinds("serves", "silent", "says"),
        trials={"max": 3, "parallelism": 2},
        metrics={
            "intervalSeconds": 0.5,
            "queries": [
                {"name": "loss", "promQL": "app_loss"},
                {"name": "parts", "promQL": "app_part"},
                {"name": "whole", "promQL": "sum(app_part)"},
            ],
        },
    )
    study.until(lambda: len(study.status.get("messages", ())) == 2, "what is wrong with queries")
    parts, whole = sorted(study.status["messages"])
    assert "'parts': 2 series for trial 0: make it one" in parts
    assert "'whole': a result without the label pod or kubetune_io_trial" in whole
    trials = study.finish()
    assert by_kind(trials) == {
        "serves": ("Complete", ""),
        "silent": ("Failed", "MetricsMissing"),
        "says": ("Complete", ""),
    }
    assert trials[0].value in {0.1, 0.2, 0.3, 0.4}
    assert trials[0].outcome is not None
    assert not {"parts", "whole"} & set(trials[0].outcome.metrics)
    assert trials[2].value == 0.9
