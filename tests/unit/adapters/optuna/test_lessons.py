"""What a sampler is taught by each end of a trial."""

import pytest

from kubetune.adapters.optuna.lessons import Lesson, imputed, imputes_cuts, lesson
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import Direction, Objective, Sampler, SamplerAlgorithm
from kubetune.domain.trial import Outcome, TrialState
from tests.builders import make_outcome, make_study, make_trial


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


@pytest.mark.parametrize(
    ("known", "direction", "value"),
    [
        ((0.2, 0.9, 0.5), Direction.MINIMIZE, 0.9),
        ((0.2, 0.9, 0.5), Direction.MAXIMIZE, 0.2),
        ((0.5,), Direction.MINIMIZE, 1.5),
        ((0.5, 0.5), Direction.MAXIMIZE, -0.5),
        ((-40.0,), Direction.MINIMIZE, 0.0),
    ],
)
def test_a_cut_counts_as_bad_as_any(
    known: tuple[float, ...], direction: Direction, value: float
) -> None:
    """As the worst that is known; never as the best, where that is the only one."""
    assert imputed(known, direction) == value


def test_who_fits_values_alone_has_cuts_imputed() -> None:
    """The Gaussian process of one objective: of several nothing says which were bad."""
    gaussian = Sampler(algorithm=SamplerAlgorithm.GP)
    assert imputes_cuts(make_study(sampler=gaussian))
    assert not imputes_cuts(make_study())
    seconds = Objective(metric="seconds", direction=Direction.MINIMIZE)
    several = (make_study().objective, seconds)
    assert not imputes_cuts(make_study(sampler=gaussian, objectives=several))
