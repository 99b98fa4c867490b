"""What a sampler is taught by each end of a trial."""

import pytest

from kubetune.adapters.optuna.lessons import Lesson, lesson
from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import Outcome, TrialState
from tests.builders import make_outcome, make_trial


def _failed(reason: TrialReason) -> Outcome:
    return Outcome(TrialState.FAILED, reason)


def test_a_running_trial_is_a_place_being_tried() -> None:
    """A trial without an end is running for the sampler too."""
    assert lesson(make_trial()) is Lesson.RUNNING


@pytest.mark.parametrize("state", [TrialState.COMPLETE, TrialState.INFEASIBLE])
def test_values_are_learnt(state: TrialState) -> None:
    """Complete and infeasible trials are learnt with their values."""
    assert lesson(make_trial(outcome=make_outcome(0.5, state=state))) is Lesson.VALUED


def test_a_cut_is_learnt_by_its_curve() -> None:
    """A pruned trial is learnt by its curve."""
    outcome = Outcome(TrialState.PRUNED, TrialReason.PRUNED)
    assert lesson(make_trial(outcome=outcome)) is Lesson.CUT


@pytest.mark.parametrize(
    "reason",
    [
        TrialReason.DIVERGED,
        TrialReason.GUARD_TRIPPED,
        TrialReason.GRADIENT_EXPLOSION,
        TrialReason.OUT_OF_MEMORY,
        TrialReason.CRASHED,
        TrialReason.TIMED_OUT,
        TrialReason.BAD_REPORT,
        TrialReason.BAD_CONFIGURATION,
        TrialReason.METRICS_MISSING,
    ],
)
def test_its_own_failures_are_avoided(reason: TrialReason) -> None:
    """A configuration that fails by itself is kept away from."""
    assert lesson(make_trial(outcome=_failed(reason))) is Lesson.AVOID


@pytest.mark.parametrize(
    "reason",
    [
        TrialReason.DISRUPTED,
        TrialReason.CANCELLED,
        TrialReason.LAUNCH_FAILED,
        TrialReason.IMAGE_PULL_FAILED,
        TrialReason.UNSCHEDULABLE,
    ],
)
def test_other_failures_teach_nothing(reason: TrialReason) -> None:
    """What the world did to a trial says nothing of its configuration."""
    assert lesson(make_trial(outcome=_failed(reason))) is Lesson.NOTHING
