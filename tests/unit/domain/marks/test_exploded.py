"""GradientExplosion."""

import math
import random

import pytest

from kubetune.domain.marks import Mark, mark
from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import Outcome, Trial, TrialState
from tests.builders import make_trial
from tests.unit.domain.marks import drawn

USUAL = [1.0, 1.1, 0.9] * 5
"""Fifteen norms."""


def step_of(trial: Trial) -> float | None:
    """The step at which its gradient exploded; None when it did not."""
    found = mark(drawn.study(), [trial]).get(0, ())
    return next((one.step for one in found if one.mark is Mark.GRADIENT_EXPLOSION), None)


@pytest.mark.parametrize("name", ["gradient_norm", "grad_norm"])
def test_one_huge_norm(name: str) -> None:
    """More than 100 times the usual."""
    assert step_of(drawn.trial(**{name: [*USUAL, 101.0, 1.0]})) == 16
    assert step_of(drawn.trial(**{name: [*USUAL, 99.0, 1.0]})) is None


def test_two_large_norms_within_twenty_steps() -> None:
    """More than 10 times the usual, the second one counts."""
    assert step_of(drawn.trial(gradient_norm=[*USUAL, 11.0, *USUAL, 11.0])) == 32
    assert step_of(drawn.trial(gradient_norm=[*USUAL, 11.0, *USUAL, *USUAL, 11.0])) is None


def test_two_large_norms_in_a_row_of_rare_reports() -> None:
    """Where norms are reported every 100 steps, neighbours belong together."""
    assert step_of(drawn.trial(every=100, gradient_norm=[*USUAL, 11.0, 12.0])) == 1601
    assert step_of(drawn.trial(every=100, gradient_norm=[*USUAL, 11.0, 1.0, 12.0])) is None


def test_the_first_norms_are_not_judged() -> None:
    """Warmup begins wildly; with fewer than ten norms nothing is usual."""
    assert step_of(drawn.trial(gradient_norm=[1.0, 500.0, 1.0, 900.0, *USUAL])) is None


def test_large_beside_nothing_is_not_large() -> None:
    """A model that has learned all has gradients near zero; a hard example is no explosion."""
    assert step_of(drawn.trial(gradient_norm=[*USUAL, *[0.001] * 60, 0.9, 0.8])) is None
    assert step_of(drawn.trial(gradient_norm=[0.0] * 30 + [0.5] * 3)) is None


def test_norms_that_are_not_finite() -> None:
    """One is an overflow of mixed precision, three in a row are an explosion."""
    nan = math.nan
    assert step_of(drawn.trial(gradient_norm=[*USUAL, nan, math.inf, 1.0, nan])) is None
    assert step_of(drawn.trial(gradient_norm=[*USUAL, nan, math.inf, nan, 1.0])) == 16


def test_what_the_trainer_counted() -> None:
    """It sees every step; also when only its result came, at no known step."""
    assert step_of(drawn.trial(every=10, gradient_explosions=[0.0, 0.0, 2.0, 3.0])) == 21
    silent = drawn.joined(0, {}, metrics={"gradient_explosions": 1.0})
    found = mark(drawn.study(), [silent])[0]
    assert [(one.mark, one.step, one.message) for one in found] == [
        (Mark.GRADIENT_EXPLOSION, None, "the trainer counted 1 explosion")
    ]


def test_what_the_trial_says_itself() -> None:
    """The reason of its own end is a mark."""
    end = Outcome(TrialState.FAILED, TrialReason.GRADIENT_EXPLOSION, "norm 9e9 at step 4")
    assert step_of(make_trial(0, outcome=end, curve=drawn.trial(loss=[1.0, 2.0]).curve)) == 2


@pytest.mark.parametrize("spread", [0.2, 0.4, 0.6])
def test_skewed_norms_are_healthy(spread: float) -> None:
    """Real norms are skewed: the largest of hundreds is several times the median."""
    for seed in range(50):
        rng = random.Random(seed)
        norms = [math.exp(rng.gauss(0.0, spread)) for _ in range(300)]
        assert step_of(drawn.trial(gradient_norm=norms)) is None
