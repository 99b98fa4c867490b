"""Patience: a trial that stops improving."""

import math

import pytest

from kubetune.domain.pruners.patience import patience
from kubetune.domain.study import Direction, Objective, Patience, Pruner
from tests.builders import make_points, make_study, make_trial

LOSS = Objective(metric="accuracy", direction=Direction.MINIMIZE)


def judge(*values, evaluations=2, min_delta=0.0, **changes):
    pruner = Pruner(patience=Patience(evaluations=evaluations, min_delta=min_delta))
    return patience(make_study(pruner=pruner, **changes), make_trial(curve=make_points(*values)))


@pytest.mark.parametrize(
    ("values", "stops"),
    [
        ((0.5, 0.4), False),
        ((0.5, 0.4, 0.4), True),
        ((0.5, 0.5, 0.5), True),
        ((0.5, 0.4, 0.6), False),
        ((0.5, 0.6, 0.4, 0.5), True),
        ((0.1, 0.9, 0.2, 0.3), True),
        ((0.5, math.nan, math.nan), True),
        ((math.nan, 0.5, 0.4), False),
        ((), False),
    ],
)
def test_the_last_values_must_bring_something(values, stops):
    """N values none of which beats the best before them end the trial; an equal one is no gain."""
    assert (judge(*values) is not None) is stops


def test_small_gains_do_not_count():
    """A gain must be above min_delta; the sentence says what there was and what was needed."""
    assert judge(0.5, 0.5, 0.52, min_delta=0.01) is None
    assert judge(0.5, 0.5, 0.625, min_delta=0.125) == (
        "the last 2 evaluations gained 0.125 over 0.5 (needs more than 0.125) at step 3"
    )


def test_minimising_turns_it_round():
    """Under Minimize a falling curve is a gain."""
    assert judge(0.5, 0.4, 0.3, objectives=(LOSS,)) is None
    assert judge(0.3, 0.4, 0.5, objectives=(LOSS,))


def test_without_patience_nothing_is_cut():
    """The rule is off unless asked for."""
    assert patience(make_study(), make_trial(curve=make_points(0.5, 0.4, 0.3))) is None
