"""A study's status on a real API server: what is written is what is read, and it stays small."""

import json
from dataclasses import replace
from random import Random

import pytest

from bench.studies import load
from kubetune.api.status import invalid_status, status_of
from kubetune.domain.coordinates import Coordinates, Repair
from kubetune.domain.faults import Fault
from kubetune.domain.observation import Reading
from kubetune.domain.planner import plan
from kubetune.domain.reasons import StudyReason
from kubetune.domain.status import Condition, ConditionType, Counts, StudyStatus, Truth
from kubetune.domain.trial import Point
from tests.builders import NOW, make_observation, make_outcome, make_run, make_trial
from tests.cluster.requests import Refused
from tests.integration.crd.manifests import API, path, study

APPLY = "application/apply-patch+yaml"
W0 = replace(load("w0.yaml"), checkpoint_claim="lora-checkpoints")
RUNNING = 4
UID = "0f6a6a1e-7d0d-4f0e-9a55-2f6c3f1f6c11"


def trials(count):
    """So many trials of W0: some failed or pruned, the last few still run."""
    random, coordinates = Random(count), Coordinates(W0.space)
    made = []
    for number in range(count):
        point = {axis.name: axis.at(random.random()) for axis in coordinates.axes}
        candidate = coordinates.candidate(point, Repair.SPREAD)
        metrics = {"clip_score": random.random(), "train_loss": random.random()}
        curve = tuple(Point(step, metrics) for step in range(1, 6))
        ended = number < count - RUNNING
        outcome = make_outcome(metrics["clip_score"], metrics=metrics) if ended else None
        made.append(
            make_trial(
                number,
                parameters=candidate.parameters,
                active=candidate.active,
                curve=curve,
                outcome=outcome,
                started_at=NOW - 1000 + number,
                seed=random.randrange(2**31),
            )
        )
    return made


def wire_after(count):
    """The status after so many trials."""
    made = trials(count)
    numbers = range(count - RUNNING, count)
    seen = make_observation(
        *made,
        spec=replace(W0, trials=replace(W0.trials, max=10 * count, parallelism=RUNNING)),
        runs=tuple(make_run(number) for number in numbers),
        readings={number: Reading(progress=0.25) for number in numbers},
    )
    return on_wire(plan(seen).status)


def on_wire(status, **more):
    """A status as the operator writes it."""
    return status_of(status, spec=W0, uid=UID, generation=1, now=NOW, earlier={}, **more)


def apply(plane, namespace, status, *, manager="kubetune", force=True):
    """One server-side apply of a status, answered by the whole resource."""
    where = f"{path(namespace, 'digits')}/status?fieldManager={manager}"
    body = {
        "apiVersion": API.removeprefix("/apis/"),
        "kind": "TuningStudy",
        "metadata": {"name": "digits"},
        "status": status,
    }
    return plane.request("PATCH", where + ("&force=true" if force else ""), body, APPLY)


@pytest.fixture
def home(studies, namespace):
    """A namespace with a study named digits."""
    studies.request("POST", path(namespace), study())
    return namespace


def test_what_is_written_is_what_is_read(studies, home):
    """The server adds nothing, so a status that was read need not be written again."""
    written = wire_after(30)
    assert apply(studies, home, written)["status"] == written


def test_a_status_is_as_large_after_ten_trials_as_after_hundreds(studies, home):
    """The whole resource, the server's own notes included, grows by less than a tenth."""
    sizes = {count: len(json.dumps(apply(studies, home, wire_after(count)))) for count in (10, 500)}
    assert sizes[500] < 1.1 * sizes[10], sizes
    assert sizes[500] < 20_000, sizes


def test_the_same_status_changes_nothing(studies, home):
    """A second write of it leaves the version that others watch."""
    first, second = (apply(studies, home, wire_after(10)) for _ in range(2))
    assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]


def test_what_is_said_no_more_is_gone(studies, home):
    """A waiting trial that starts and an end that was taken back leave nothing behind."""
    ended = {**wire_after(10), "completionTime": "2026-01-01T00:00:00Z"}
    apply(studies, home, ended)
    assert "completionTime" not in apply(studies, home, wire_after(10))["status"]


def test_another_writer_is_told_and_overruled(studies, home):
    """Somebody who patches a status is told of the conflict; the operator has the last word."""
    apply(studies, home, wire_after(10))
    with pytest.raises(Refused) as refused:
        apply(studies, home, {"phase": "Fine"}, manager="somebody", force=False)
    assert refused.value.status == 409
    apply(studies, home, {"phase": "Fine"}, manager="somebody")
    assert apply(studies, home, wire_after(10))["status"]["phase"] == "Running"


def test_two_writers_have_a_condition_each(studies, home):
    """Conditions are owned one by one: who writes one does not take away the other's."""
    mine, other = (
        {"conditions": [{"type": kind, **told}]}
        for kind, told in (
            ("Valid", {"status": "True", "reason": "AsExpected"}),
            ("Suspended", {"status": "False", "reason": "AsExpected"}),
        )
    )
    for status in (mine, other):
        status["conditions"][0]["lastTransitionTime"] = "2026-01-01T00:00:00Z"
    apply(studies, home, mine)
    found = apply(studies, home, other, manager="somebody", force=False)["status"]
    assert [item["type"] for item in found["conditions"]] == ["Valid", "Suspended"]


def test_the_largest_status_is_taken(studies, home):
    """Whatever trials hold, the server can store it: its limit is 1.5 MB for the whole resource."""
    parameters = {f"parameter_{index:03}": "x" * 1024 for index in range(256)}
    metrics = {f"metric_{index:03}": 0.123456789 for index in range(500)}
    outcome = make_outcome(message="\udcff" + "é" * 100_000, metrics=metrics)
    made = tuple(
        make_trial(number, outcome=outcome, parameters=parameters, active=frozenset(parameters))
        for number in range(30)
    )
    status = StudyStatus(
        phase="Running",
        conditions=tuple(
            Condition(kind, Truth.TRUE, StudyReason.AS_EXPECTED, "é" * 100_000)
            for kind in ConditionType
        ),
        counts=Counts(rejected={f"constraint-{index}": 10**6 for index in range(64)}),
        active=made,
        recent=made,
        pareto_front=made,
        best=made[0],
        waiting={trial.number: "é" * 100_000 for trial in made},
    )
    stored = apply(studies, home, on_wire(status, messages=["é" * 100_000] * 30))
    assert len(stored["status"]["active"]) == 20


def test_an_invalid_study_shows_every_fault(studies, home):
    """Somebody who describes the resource reads all that is to be mended."""
    faults = [Fault(("spec", "parameters", index, "min"), "is above max") for index in range(5)]
    apply(studies, home, invalid_status(faults, generation=1, now=NOW, earlier={}))
    page = studies.kubectl("describe", "tstudy", "digits", "-n", home)
    assert page.count("is above max") == 5
    assert "InvalidSpec" in page


def test_a_status_does_not_change_the_generation(studies, home):
    """Only edits of the spec count as edits."""
    assert apply(studies, home, wire_after(10))["metadata"]["generation"] == 1
