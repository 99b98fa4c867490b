"""Threshold: absolute bounds on the last value."""

import math

import pytest

from kubetune.domain.pruners.threshold import threshold
from kubetune.domain.study import Pruner, PrunerAlgorithm
from tests.builders import make_field, make_points, make_study, make_trial


def judge(*values, **changes):
    spec = make_study(pruner=Pruner(algorithm=PrunerAlgorithm.THRESHOLD, **changes))
    trial = make_trial(curve=make_points(*values))
    return threshold(spec, trial, make_field(spec, trial, []))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (0.1, "value 0.1 at step 1 is below 0.2"),
        (0.9, "value 0.9 at step 1 is above 0.8"),
        (math.nan, "value nan at step 1 is not a number to compare"),
        (0.2, None),
        (0.8, None),
    ],
)
def test_values_outside_the_bounds_are_cut(value, message):
    """The bounds themselves are inside; NaN is outside of everything."""
    assert judge(value, lower=0.2, upper=0.8) == message


def test_the_last_value_alone_counts():
    """A trial that came back inside goes on."""
    assert judge(0.1, 0.5, lower=0.2) is None


def test_warm_up_holds_it_back_and_startup_does_not():
    """Absolute bounds need no other trials, only a step to begin at."""
    assert judge(0.1, lower=0.2, warmup_steps=2) is None
    assert judge(0.1, 0.1, lower=0.2, warmup_steps=2, startup_trials=99)


def test_no_bounds_cut_nothing():
    """A side without a bound is open."""
    assert judge(-1e300, 1e300) is None
