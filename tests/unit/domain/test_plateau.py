"""A search that brings nothing new any more."""

from dataclasses import replace

import pytest

from kubetune.domain import plateau
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import Direction, Objective, Plateau
from kubetune.domain.trial import Outcome, TrialState
from tests.builders import ACCURACY, make_study, make_trial

LOSS = Objective(metric="loss", direction=Direction.MINIMIZE)


def study(trials=3, least=0.01, **changes):
    return make_study(plateau=Plateau(trials=trials, min_improvement=least), **changes)


def ended(*values):
    """Trials that ended in this order; None for one that failed."""
    failure = Outcome(TrialState.FAILED, TrialReason.CRASHED)
    return [
        replace(
            make_trial(at, value, outcome=failure if value is None else None), ended_at=float(at)
        )
        for at, value in enumerate(values)
    ]


@pytest.mark.parametrize(
    ("values", "flat"),
    [
        ((0.5, 0.5, 0.5), False),  # nothing before the last three
        ((0.5, 0.5, 0.4, 0.3), True),
        ((0.5, 0.5, 0.504, 0.3), True),  # 0.8 per cent
        ((0.5, 0.5, 0.505, 0.3), False),  # 1 per cent is enough
        ((0.5, 0.9, 0.1, 0.1, 0.1), True),  # the leap lies before them
        ((0.5, None, None, None), True),  # a failure brings nothing
        ((None, 0.5, 0.5, 0.5), False),  # no complete one before them
        ((), False),
    ],
)
def test_the_last_trials_must_bring_something(values, flat):
    """As a share of the best before them."""
    assert bool(plateau.reached(study(), ended(*values))) is flat


def test_less_is_better_where_it_is_minimised():
    """The share is that of the loss."""
    spec = study(2, objectives=(LOSS,))
    assert plateau.reached(spec, ended(1.0, 0.999, 0.995)) == (
        "the last 2 trials improved loss by 0.50%, less than 1.00%"
    )
    assert not plateau.reached(spec, ended(1.0, 0.999, 0.9))


def test_nothing_is_no_less_than_nothing():
    """No gain at all is said to be 0, without a sign, in either direction."""
    for spec in (study(), study(objectives=(LOSS,))):
        assert " by 0.00%," in plateau.reached(spec, ended(0.5, 0.5, 0.5, 0.5))


def test_the_order_is_that_in_which_they_ended():
    """Not that of their numbers."""
    late = [replace(trial, ended_at=-float(trial.number)) for trial in ended(0.9, 0.5, 0.5, 0.5)]
    assert not plateau.reached(study(), late)


def test_cancelled_trials_do_not_count():
    """They had no chance."""
    cancelled = Outcome(TrialState.FAILED, TrialReason.CANCELLED)
    more = [replace(make_trial(9, outcome=cancelled), ended_at=99.0) for _ in range(3)]
    assert not plateau.reached(study(), [*ended(0.5, 0.5), *more])


def test_without_one_best_there_is_no_plateau():
    """Several objectives, or none asked for."""
    assert not plateau.reached(study(objectives=(ACCURACY, LOSS)), ended(0.5, 0.5, 0.5, 0.5))
    assert not plateau.reached(make_study(), ended(0.5, 0.5, 0.5, 0.5))
