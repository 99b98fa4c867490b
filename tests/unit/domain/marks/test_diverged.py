"""Diverged."""

import math

import pytest

from kubetune.domain.marks import Mark, mark
from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import Outcome, Trial, TrialState
from tests.builders import make_outcome, make_points, make_trial
from tests.unit.domain.marks import drawn

NAN = math.nan
FALL = drawn.falling(20, 3.0, 1.0, 0.3)


def step_of(*trials: Trial) -> float | None:
    """The step at which trial 0 diverged; None when it did not."""
    found = mark(drawn.study(), trials).get(0, ())
    return next((one.step for one in found if one.mark is Mark.DIVERGED), None)


def running(**metrics: list[float]) -> Trial:
    """Trial 0 as it runs."""
    return make_trial(0, curve=drawn.trial(**metrics).curve)


@pytest.mark.parametrize("metric", ["eval_loss", "train_loss", "loss"])
@pytest.mark.parametrize("value", [NAN, math.inf])
def test_a_curve_that_ends_without_a_number(metric: str, value: float) -> None:
    """The objective, or a training loss under either name; from its first such step."""
    assert step_of(running(**{metric: [3.0, 2.0, value, value]})) == 3


def test_three_in_a_row_are_enough() -> None:
    """A training that was lost for so long is marked, even if numbers come back."""
    assert step_of(drawn.trial(train_loss=[3.0, NAN, NAN, NAN, *FALL])) == 2


@pytest.mark.parametrize("losses", [[3.0, NAN, 2.0], [3.0, NAN, NAN, 2.0]])
def test_passing_overflows_are_no_divergence(losses: list[float]) -> None:
    """Mixed precision finds its scale by overflowing."""
    assert step_of(running(train_loss=losses)) is None


def test_a_trial_with_a_value_needs_three() -> None:
    """One training loss that is missing at the end says little beside a finite objective."""
    assert step_of(drawn.trial(train_loss=[3.0, 2.0, NAN], eval_loss=[3.0, 2.0, 1.9])) is None


def test_the_engine_s_verdict() -> None:
    """A trial that ended Diverged bears the mark, with the same words, curve or not."""
    end = Outcome(TrialState.FAILED, TrialReason.DIVERGED, "eval_loss is nan at step 7")
    found = mark(drawn.study(), [make_trial(0, outcome=end)])[0]
    assert [(one.mark, one.step, one.message) for one in found] == [
        (Mark.DIVERGED, None, "eval_loss is nan at step 7")
    ]


def test_a_loss_that_went_away_and_stayed() -> None:
    """It ends above where it began and was far above it."""
    away = [3.0, 2.9, 2.8, 4.0, 6.0, 7.0, 6.5, 6.0, 5.0, 4.0, 3.8, 3.7]
    assert step_of(drawn.trial(train_loss=away)) == 6


def test_a_loss_that_left_its_best() -> None:
    """It ends hardly above where it began, but at four times its best."""
    left = [1.0, 0.99, 0.97, 0.9, 0.7, 0.5, 0.35, 0.25, 0.2, 0.2, 0.25, 0.35, 0.5, 0.7, 0.9, 1.0]
    assert step_of(drawn.trial(train_loss=[*left, *[1.07] * 6])) == 17
    assert step_of(drawn.trial(train_loss=[*left, *[0.95] * 6])) is None


@pytest.mark.parametrize(
    "losses",
    [
        [3.0, 2.9, 9.0, 12.0, 9.0, 5.0, 3.0, 2.0, 1.5, 1.4, 1.3, 1.3],
        [3.0, 2.9, 2.8, 2.7, 2.6, 2.5, 2.4, 2.3, 2.2, 2.1, 2.0, 50.0],
        [3.0, 3.0, 3.0, 3.05, 3.1, 3.15, 3.2, 3.25, 3.3, 3.3, 3.3, 3.3],
        [-3.0, -2.0, -1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
        [3.0, 3.0, 30.0, 30.0, 30.0, 30.0],
    ],
    ids=["came back", "one bad step", "a tenth worse", "not a ratio", "too few"],
)
def test_what_is_no_divergence(losses: list[float]) -> None:
    """A spike that passes, a small rise, a loss below zero, too few reports."""
    assert step_of(drawn.trial(train_loss=losses)) is None


def test_the_objective_may_get_worse() -> None:
    """Without a training loss nobody knows whether it diverged or was learned by heart."""
    assert step_of(drawn.trial(eval_loss=[1.0, 0.8, *range(2, 12)])) is None


def bad_from_the_first_report() -> Trial:
    losses = [14.0, 60.0, 170.0, 400.0, 600.0, 580.0, 450.0, 300.0, 180.0, 90.0, 45.0, 20.0]
    return drawn.trial(0, train_loss=[*losses, 10.0, 7.0, 5.5, 5.0])


def test_a_start_that_was_lost_is_taken_from_peers() -> None:
    """The first steps were ruined already: finished trials tell where training begins."""
    peers = [drawn.trial(number, train_loss=FALL) for number in range(1, 6)]
    assert step_of(bad_from_the_first_report(), *peers) == 5
    assert step_of(bad_from_the_first_report(), *peers[:3]) is None


def test_a_trial_that_stands_still_has_not_diverged() -> None:
    """However much better the others were by their first report."""
    peers = [drawn.trial(number, train_loss=FALL) for number in range(1, 6)]
    assert step_of(drawn.trial(0, train_loss=[5.0, 5.01] * 10), *peers) is None


def test_other_metrics_may_be_anything() -> None:
    """NaN of a metric that is neither objective nor loss is nobody's divergence."""
    curve = make_points(NAN, NAN, NAN, NAN, metric="black_image_fraction")
    assert step_of(make_trial(0, outcome=make_outcome(0.5), curve=curve)) is None
