"""Rules of a study's status on the wire."""

import json
import math
from dataclasses import replace

import pytest

from kubetune.api import status as wire
from kubetune.api.status import invalid_status, status_of, storageless_status
from kubetune.api.summaries import SHOWN_PARAMETERS
from kubetune.api.v1alpha1.status import MESSAGE_LIMIT, TuningStudyStatus
from kubetune.domain.faults import Fault
from kubetune.domain.finalists import finals
from kubetune.domain.reasons import StudyReason, TrialReason
from kubetune.domain.status import Condition, ConditionType, Counts, StudyStatus, Truth
from kubetune.domain.study import Direction, Finalists, Objective
from kubetune.domain.trial import Stage, TrialState
from tests.builders import NOW, make_outcome, make_points, make_study, make_trial

START, LATER = "1970-01-12T13:46:40Z", "1970-01-12T13:47:40Z"
FAULT = Fault(("spec", "trials", "max"), "missing: write a whole number")


def status(**changes):
    """A study that runs."""
    progressing = Condition(ConditionType.PROGRESSING, Truth.TRUE, StudyReason.RUNNING, "1 of 3")
    return replace(
        StudyStatus(phase="Running", conditions=(progressing,), counts=Counts()), **changes
    )


def on_wire(shown=None, *, now=NOW, earlier=None, spec=None, **more):
    """The status on the wire, which fits the schema."""
    found = status_of(
        shown or status(),
        spec=spec or make_study(),
        uid="u-1",
        generation=3,
        now=now,
        earlier=earlier or {},
        **more,
    )
    valid(found)
    return found


def valid(found):
    """The status, once it is sure that the server would take it."""
    return TuningStudyStatus.model_validate_json(json.dumps(found, allow_nan=False))


def condition(found, kind):
    """One condition of a status on the wire."""
    return next(item for item in found["conditions"] if item["type"] == kind)


def test_a_condition_keeps_its_time_while_its_truth_stays():
    """`lastTransitionTime` is when the truth changed, not when the sentence did."""
    first = on_wire()
    told = Condition(ConditionType.PROGRESSING, Truth.TRUE, StudyReason.RUNNING, "2 of 3")
    second = on_wire(status(conditions=(told,)), now=NOW + 60, earlier=first)
    assert condition(second, "Progressing")["message"] == "2 of 3"
    assert condition(second, "Progressing")["lastTransitionTime"] == START
    over = replace(told, status=Truth.FALSE)
    third = on_wire(status(conditions=(over,)), now=NOW + 60, earlier=second)
    assert condition(third, "Progressing")["lastTransitionTime"] == LATER


def test_conditions_speak_of_the_generation_that_is_followed():
    """A reader can tell whether his edit has been seen."""
    found = on_wire()
    assert found["observedGeneration"] == 3
    assert condition(found, "Progressing")["observedGeneration"] == 3


def test_a_study_starts_with_its_first_trial_and_never_again():
    """`startTime` stays when the first trial is no longer shown."""
    assert "startTime" not in on_wire(status(active=(make_trial(0),)))
    first = on_wire(status(active=(make_trial(0, started_at=NOW),)))
    assert first["startTime"] == START
    later = status(active=(make_trial(9, started_at=NOW + 60),))
    assert on_wire(later, now=NOW + 60, earlier=first)["startTime"] == START


def test_a_study_is_complete_when_it_ended_and_no_longer_when_it_goes_on():
    """`completionTime` is the time of the end; raising `trials.max` takes it away."""
    ended = on_wire(status(ended=True))
    assert ended["completionTime"] == START
    assert on_wire(status(ended=True), now=NOW + 60, earlier=ended)["completionTime"] == START
    assert "completionTime" not in on_wire(status(), now=NOW + 60, earlier=ended)


def test_a_running_trial_says_what_it_is_doing():
    """What was drawn, how far it is and which attempt this is; nothing that is not known."""
    trial = make_trial(
        4, parameters={"x": 0.5, "epochs": 3}, attempt=2, curve=make_points(0.1, 0.2)
    )
    (shown,) = on_wire(status(active=(trial,), progress={4: 0.4}))["active"]
    assert shown == {
        "number": 4,
        "state": "Running",
        "attempt": 2,
        "parameters": {"x": 0.5},
        "value": 0.2,
        "step": 2,
        "progress": 0.4,
    }


def test_a_waiting_trial_says_why():
    """Somebody who looks at the study sees what the cluster lacks."""
    words = "0/2 nodes are available: insufficient nvidia.com/gpu"
    (shown,) = on_wire(status(active=(make_trial(4),), waiting={4: words}))["active"]
    assert shown["waiting"] == words


def test_a_trial_of_a_suspended_study_says_why():
    """It has no pod that somebody could look for; what has ended waits for nothing."""
    spec = make_study(suspend=True)
    ended = make_trial(5, TrialState.COMPLETE, outcome=make_outcome(0.5))
    shown = on_wire(status(active=(make_trial(4),), recent=(ended,)), spec=spec)
    assert shown["active"][0]["waiting"] == "the study is suspended"
    assert "waiting" not in shown["recent"][0]


def test_an_ended_trial_says_why():
    """A state without its reason helps nobody."""
    outcome = make_outcome(
        None, state=TrialState.FAILED, reason=TrialReason.CRASHED, message="exit code 1"
    )
    (shown,) = on_wire(status(recent=(make_trial(4, outcome=outcome),)))["recent"]
    assert (shown["state"], shown["reason"], shown["message"]) == (
        "Failed",
        "Crashed",
        "exit code 1",
    )


def test_the_best_trial_can_be_run_again_from_the_status():
    """All its values, its seed, where its checkpoint is, and what it gained."""
    trial = make_trial(7, 0.9, parameters={"x": 0.5, "epochs": 3}, seed=11)
    spec = make_study(checkpoint_claim="claims")
    found = on_wire(status(best=trial, improvement=0.25), spec=spec)["best"]
    assert found == {
        "number": 7,
        "value": 0.9,
        "objectives": [{"metric": "accuracy", "value": 0.9}],
        "parameters": {"x": 0.5, "epochs": 3},
        "metrics": {"accuracy": 0.9},
        "seed": 11,
        "checkpoint": {"claimName": "claims", "path": "u-1/7"},
        "improvement": 0.25,
        "evidence": "Search",
    }


def test_the_best_says_what_it_rests_on():
    """After the finals: how often it was run again, and what it showed on held-out data."""
    wanted = Finalists(top=1, seeds=(1, 2), held_out_metric="test_accuracy")
    spec = make_study(finalists=wanted, gpus=2)
    first = make_trial(2, 0.95)
    runs = [
        make_trial(2 + seed, 0.9, stage=Stage.FINALIST, repeats=2, seed=seed) for seed in (1, 2)
    ]
    outcome = make_outcome(0.9, metrics={"test_accuracy": 0.88})
    last = make_trial(5, outcome=outcome, stage=Stage.HELD_OUT, repeats=2, seed=1)
    told = {"best": first, "finals": finals(spec, [first, *runs]), "gpu_hours": 1.23456}
    found = on_wire(status(**told), spec=spec)
    assert found["best"]["evidence"] == "Finalists"
    assert found["budget"] == {"gpuHours": 1.235}
    assert found["finalists"] == [
        {"number": 2, "score": 0.9, "low": 0.9, "high": 0.9, "values": [0.9, 0.9], "failed": 0}
    ]
    told["finals"] = finals(spec, [first, *runs, last])
    found = on_wire(status(**told), spec=spec)["best"]
    assert (found["evidence"], found["heldOut"]) == ("HeldOut", 0.88)


def test_a_front_names_every_objective():
    """With several objectives there is no best one, but a front."""
    spec = make_study(
        objectives=tuple(
            Objective(metric=name, direction=Direction.MAXIMIZE) for name in ("speed", "accuracy")
        )
    )
    trial = make_trial(7, outcome=make_outcome(None, values=(2.0, 0.9)))
    (shown,) = on_wire(status(pareto_front=(trial,)), spec=spec)["paretoFront"]
    assert shown["objectives"] == [
        {"metric": "speed", "value": 2.0},
        {"metric": "accuracy", "value": 0.9},
    ]


def test_numbers_that_json_lacks_are_left_out():
    """A diverged trial's values are no reason for the server to refuse the whole status."""
    curve = make_points(0.5, math.nan)
    metrics = {"accuracy": 0.9, "loss": math.inf}
    best = make_trial(7, outcome=make_outcome(0.9, metrics=metrics))
    found = on_wire(status(active=(make_trial(8, curve=curve),), best=best, improvement=math.inf))
    assert "value" not in found["active"][0]
    assert found["best"]["metrics"] == {"accuracy": 0.9}
    assert "improvement" not in found["best"]


def test_whatever_trials_hold_the_status_stays_small():
    """A status is bounded: at most 20 in a list, few values, short sentences, whole characters."""
    parameters = {f"parameter_{index}": "x" * 1024 for index in range(256)}
    outcome = make_outcome(
        message="\udcff" + "y" * 100_000, metrics={f"metric_{index}": 0.1 for index in range(500)}
    )
    trials = tuple(
        make_trial(number, outcome=outcome, parameters=parameters, active=frozenset(parameters))
        for number in range(30)
    )
    said = Condition(ConditionType.VALID, Truth.TRUE, StudyReason.AS_EXPECTED, "z" * 100_000)
    found = on_wire(
        status(
            conditions=(said,),
            active=trials,
            recent=trials,
            pareto_front=trials,
            best=trials[0],
            waiting={trial.number: "w" * 100_000 for trial in trials},
        ),
        messages=["m" * 100_000] * 30,
    )
    assert len(found["active"]) == 20
    assert len(found["recent"]) == wire.RECENT
    assert len(found["active"][0]["parameters"]) == SHOWN_PARAMETERS
    assert len(json.dumps(found)) < 1_000_000


def test_an_invalid_study_is_told_every_fault():
    """One look at the resource shows all that is to be mended."""
    other = Fault(("spec", "parameters", 2, "min"), "is above max")
    found = invalid_status([FAULT, other], generation=3, now=NOW, earlier={})
    valid(found)
    told = condition(found, "Valid")
    assert (told["status"], told["reason"]) == ("False", "InvalidSpec")
    assert told["message"] == (
        "spec.trials.max: missing: write a whole number; spec.parameters[2].min: is above max"
    )
    assert condition(found, "Progressing")["status"] == "False"
    assert condition(found, "Succeeded")["status"] == "Unknown"
    assert found["phase"] == "Invalid"


def test_more_faults_than_fit_are_counted():
    """A message has a limit; nobody is to think that he has seen all of them."""
    faults = [Fault(("spec", "parameters", index), "x" * 200) for index in range(1000)]
    found = invalid_status(faults, generation=3, now=NOW, earlier={})
    valid(found)
    message = condition(found, "Valid")["message"]
    assert len(message) <= MESSAGE_LIMIT
    shown = message.count("spec.parameters")
    assert message.endswith(f"; and {1000 - shown} more")


@pytest.mark.parametrize("size", [MESSAGE_LIMIT - 60, MESSAGE_LIMIT, 10 * MESSAGE_LIMIT])
def test_one_fault_of_any_length_fits(size):
    """Hostile text does not keep a study from being told that it is invalid."""
    found = invalid_status([Fault(("spec",), "x" * size)], generation=3, now=NOW, earlier={})
    valid(found)


def test_an_edit_that_is_invalid_hides_nothing():
    """Trials and best of the spec before it stay, and so does the end that it reached."""
    succeeded = Condition(ConditionType.SUCCEEDED, Truth.TRUE, StudyReason.TARGET_REACHED)
    before = on_wire(
        status(conditions=(succeeded,), best=make_trial(7, 0.9), counts=Counts(total=8))
    )
    found = invalid_status([FAULT], generation=4, now=NOW + 60, earlier=before)
    valid(found)
    assert found["best"] == before["best"]
    assert found["trials"] == before["trials"]
    assert condition(found, "Succeeded") == condition(before, "Succeeded")
    assert condition(found, "Valid")["observedGeneration"] == 4


def test_without_its_database_a_study_says_nothing_new_of_its_trials():
    """What stands there speaks of the spec that it was told of: an end is none of the next spec."""
    before = on_wire(status(ended=True, best=make_trial(7, 0.9), counts=Counts(total=8)))
    found = storageless_status("refused", generation=4, now=NOW + 60, earlier=before)
    valid(found)
    assert found["observedGeneration"] == before["observedGeneration"] == 3
    assert (found["best"], found["trials"]) == (before["best"], before["trials"])
    assert condition(found, "StorageReachable")["message"] == "refused"
    assert condition(found, "StorageReachable")["observedGeneration"] == 4


def test_a_new_study_whose_database_is_away_has_been_seen():
    """There is no older spec that its status could speak of."""
    found = storageless_status("refused", generation=4, now=NOW, earlier={})
    valid(found)
    assert found["observedGeneration"] == 4


def test_a_strangers_condition_is_left_to_him():
    """Only conditions of this operator are taken over from the resource."""
    stranger = {"type": "Approved", "status": "True", "lastTransitionTime": START}
    found = invalid_status([FAULT], generation=4, now=NOW, earlier={"conditions": [stranger]})
    assert "Approved" not in [item["type"] for item in found["conditions"]]
