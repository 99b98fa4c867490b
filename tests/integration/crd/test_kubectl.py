"""What people see of a study through kubectl."""

import subprocess
from pathlib import Path

import pytest

from tests.cluster import binaries
from tests.integration.crd.manifests import BASE, path

MERGE = "application/merge-patch+json"
ROOT = Path(__file__).parents[3]
COLUMNS = ["NAME", "PHASE", "SUCCEEDED", "BEST", "COMPLETE", "ACTIVE", "FAILED", "AGE"]


def condition(kind, truth, generation=1):
    """A condition as it stands in a status."""
    return {
        "type": kind,
        "status": truth,
        "reason": "Running" if truth == "Unknown" else "TargetReached",
        "observedGeneration": generation,
        "lastTransitionTime": "2026-01-01T00:00:00Z",
    }


def told(phase, complete, active, best=None, succeeded="Unknown"):
    """A status as the operator writes it, as far as kubectl shows it."""
    counts = {"total": complete + active + 1, "complete": complete, "active": active, "failed": 1}
    status = {
        "phase": phase,
        "trials": counts,
        "conditions": [condition("Succeeded", succeeded)],
    }
    return {"status": status | ({"best": best} if best else {})}


BEST = {"number": 3, "value": 0.9725, "parameters": {"rate": 0.01}}


def test_a_table_shows_where_a_study_stands(studies, namespace):
    """One line a study: phase, success, best value, counts and age; by its short name too."""
    studies.apply(BASE, namespace)
    where = f"{path(namespace, 'digits')}/status"
    studies.request("PATCH", where, told("Running", 3, 2, BEST), MERGE)
    head, line = studies.kubectl("get", "tstudy", "-n", namespace).splitlines()
    assert head.split() == COLUMNS
    assert line.split()[:7] == ["digits", "Running", "Unknown", "0.9725", "3", "2", "1"]


def test_a_study_is_among_all_that_tunes(studies, namespace):
    """The category `tuning` lists every kind of this operator."""
    studies.apply(BASE, namespace)
    found = studies.kubectl("get", "tuning", "-n", namespace, "-o", "name").split()
    assert found == ["tuningstudy.kubetune.io/digits"]


def test_a_wide_table_says_how_the_search_goes(studies, namespace):
    """`-o wide` adds what does not fit: trials in all, and those that were cut short."""
    studies.apply(BASE, namespace)
    head, _ = studies.kubectl("get", "tstudy", "-n", namespace, "-o", "wide").splitlines()
    assert head.split() == [*COLUMNS, "TOTAL", "MAX", "PRUNED", "INFEASIBLE"]


def test_watching_shows_every_change(studies, namespace):
    """`kubectl get -w` gives a line for each new status."""
    studies.apply(BASE, namespace)
    words = [binaries.find()["kubectl"].path, f"--kubeconfig={studies.kubeconfig}"]
    words += ["get", "tstudy", "digits", "-n", namespace, "-w", "--no-headers"]
    where = f"{path(namespace, 'digits')}/status"
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as watch:
        try:
            assert watch.stdout is not None
            watch.stdout.readline()
            lines = []
            for status in (told("Running", 0, 2), told("Succeeded", 3, 0, BEST, "True")):
                studies.request("PATCH", where, status, MERGE)
                lines.append(watch.stdout.readline().split()[1:6])
        finally:
            watch.terminate()
    assert lines[0][:2] == ["Running", "Unknown"]
    assert lines[1] == ["Succeeded", "True", "0.9725", "3", "0"]


def test_a_script_can_wait_for_success(studies, namespace):
    """`kubectl wait --for=condition=Succeeded` returns once the study has succeeded."""
    studies.apply(BASE, namespace)
    where = f"{path(namespace, 'digits')}/status"
    studies.request("PATCH", where, told("Running", 0, 2), MERGE)
    words = ("wait", "--for=condition=Succeeded", "tstudy/digits", "-n", namespace)
    assert "timed out" in studies.kubectl(*words, "--timeout=0.2s", check=False)
    studies.request("PATCH", where, told("Succeeded", 3, 0, BEST, "True"), MERGE)
    assert "condition met" in studies.kubectl(*words, "--timeout=60s")


def test_a_script_does_not_take_an_old_success_for_a_new_one(studies, namespace):
    """After an edit `kubectl wait` waits for a condition that speaks of the new spec."""
    studies.apply(BASE, namespace)
    where = f"{path(namespace, 'digits')}/status"
    studies.request("PATCH", where, told("Succeeded", 3, 0, BEST, "True"), MERGE)
    studies.request("PATCH", path(namespace, "digits"), {"spec": {"trials": {"max": 40}}}, MERGE)
    words = ("wait", "--for=condition=Succeeded", "tstudy/digits", "-n", namespace)
    assert "timed out" in studies.kubectl(*words, "--timeout=0.2s", check=False)
    again = told("Succeeded", 3, 0, BEST, "True")
    again["status"]["conditions"] = [condition("Succeeded", "True", generation=2)]
    studies.request("PATCH", where, again, MERGE)
    assert "condition met" in studies.kubectl(*words, "--timeout=60s")


EXPLAINED = {
    "tuningstudy": ["A search for the best configuration of a training program."],
    "tuningstudy.spec": [
        "objectives <[]Object> -required-",
        "What to optimise; more than one gives a Pareto front.",
        "suspend <boolean>",
    ],
    "tuningstudy.spec.parameters": [
        "FIELD: parameters <[]Object>",
        "name <string> -required-",
        "The parameter's name in expressions and in the trial's environment.",
        "enum: Double, Integer, Categorical",
        "Double: a number. Integer: a whole number. Categorical: one of values.",
        "CEL over other parameters: the parameter is drawn only where this is true.",
    ],
    "tuningstudy.spec.trials.pendingTimeoutSeconds": [
        "A trial that waits longer for a node or for its image fails with reason",
    ],
    "tuningstudy.spec.metrics.queries": ["promQL <string> -required-"],
    "tuningstudy.status.active": ["waiting <string>", "Why it does not start."],
}


@pytest.mark.parametrize("field", EXPLAINED)
def test_explain_reads_well(field, studies):
    """`kubectl explain` answers what a field is, whether it must be given and what it may be."""
    page = " ".join(studies.kubectl("explain", field).split())
    for line in EXPLAINED[field]:
        assert line in page


@pytest.mark.parametrize(
    "file", sorted(ROOT.glob("examples/*/study.yaml")), ids=lambda file: file.parent.name
)
def test_every_example_applies(file, studies, namespace):
    """What the examples show is what a cluster takes."""
    assert "created" in studies.apply(file, namespace)
