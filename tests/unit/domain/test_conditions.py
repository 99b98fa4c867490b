"""Conditions say the same as the status, in the words of Kubernetes."""

import pytest

from kubetune.domain import conditions
from kubetune.domain.end import End
from kubetune.domain.planner import plan
from kubetune.domain.reasons import StudyReason
from kubetune.domain.status import ConditionType, Truth
from tests.builders import make_observation, make_study, make_trial

GOOD = End(StudyReason.TARGET_REACHED, succeeded=True, message="reached")
BAD = End(StudyReason.TOO_MANY_FAILURES, succeeded=False, message="11 failed")


@pytest.mark.parametrize(
    ("changes", "end", "type_", "status", "reason"),
    [
        ({}, None, "Valid", "True", "AsExpected"),
        ({}, None, "StorageReachable", "True", "AsExpected"),
        ({"storage_reachable": False}, None, "StorageReachable", "False", "StorageUnreachable"),
        ({"storage_reachable": False}, None, "Progressing", "False", "StorageUnreachable"),
        ({"metrics_reachable": False}, None, "MetricsReachable", "False", "MetricsUnreachable"),
        ({"metrics_reachable": False}, None, "Progressing", "True", "Running"),
        ({}, None, "Progressing", "True", "Running"),
        ({}, GOOD, "Progressing", "False", "TargetReached"),
        ({}, None, "Suspended", "False", "AsExpected"),
        ({"interrupted": True}, None, "Suspended", "True", "Interrupted"),
        ({"spec": make_study(suspend=True)}, None, "Suspended", "True", "Suspended"),
        ({}, None, "Succeeded", "Unknown", "Running"),
        ({}, GOOD, "Succeeded", "True", "TargetReached"),
        ({}, BAD, "Succeeded", "False", "TooManyFailures"),
    ],
)
def test_a_condition(changes, end, type_, status, reason) -> None:
    """Each condition has one truth and one reason for each state of a study."""
    found = {
        each.type: each for each in conditions.conditions(make_observation(**changes), end, "")
    }
    condition = found[ConditionType(type_)]
    assert (condition.status, condition.reason) == (Truth(status), StudyReason(reason))


@pytest.mark.parametrize(
    ("changes", "trials", "end", "phase"),
    [
        ({}, (), None, "Pending"),
        ({}, (make_trial(),), None, "Running"),
        ({"interrupted": True}, (make_trial(),), None, "Suspended"),
        ({"interrupted": True}, (make_trial(),), GOOD, "Succeeded"),
        ({}, (make_trial(),), BAD, "Failed"),
    ],
)
def test_the_phase(changes, trials, end, phase) -> None:
    """One word for people."""
    assert conditions.phase(make_observation(*trials, **changes), end) == phase


def test_every_type_is_there_once() -> None:
    """A tool that waits for a condition finds it from the first status on."""
    types = [condition.type for condition in plan(make_observation()).status.conditions]
    assert types == list(ConditionType)


def test_the_message_has_the_figures() -> None:
    """Counts, the best, and how it compares with the baseline."""
    trials = (make_trial(0, value=0.8, baseline=True), make_trial(1, value=0.9))
    status = plan(make_observation(*trials)).status
    assert status.message == (
        "2 trials: 2 Complete; best accuracy 0.9 (trial 1), +12.5 % on the baseline"
    )


def test_an_unreachable_database_is_told_in_its_drivers_words() -> None:
    """Whoever looks at the study sees what to mend, on one line."""
    seen = make_observation(
        storage_reachable=False, storage_trouble="storage: refused\nby 10.0.0.1"
    )
    condition = {each.type: each for each in conditions.conditions(seen, None, "")}[
        ConditionType.STORAGE_REACHABLE
    ]
    assert condition.message == (
        "the database does not answer: nothing is launched, results wait"
        " (storage: refused by 10.0.0.1)"
    )


def test_metrics_that_cannot_be_read_are_told_in_their_sources_words() -> None:
    """A password that is wrong, an address, a missing option: nobody else says it."""
    seen = make_observation(metrics_reachable=False, metrics_trouble="HTTP 401\x1b without JSON")
    condition = {each.type: each for each in conditions.conditions(seen, None, "")}[
        ConditionType.METRICS_REACHABLE
    ]
    assert condition.message == "metrics cannot be read: nothing is pruned (HTTP 401 without JSON)"
