"""Failure marks are total: whatever trials report, they are read without an error."""

import math

from hypothesis import given, settings
from hypothesis import strategies as st

from kubetune.domain.marks import mark
from kubetune.domain.study import Direction, Objective
from tests.builders import make_outcome, make_study, make_trial
from tests.unit.domain.marks import drawn

VALUES = st.lists(
    st.floats() | st.sampled_from([0.0, 1.0, 2.0, math.nan, math.inf, 1e308, -1e308, 5e-324]),
    max_size=24,
)
NAMES = ("eval_loss", "train_loss", "loss", "gradient_norm", "gradient_explosions")
CURVES = st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, VALUES))


@given(st.lists(CURVES, max_size=8), st.sampled_from(Direction))
@settings(max_examples=200, deadline=None)
def test_any_report_is_read(curves, direction):
    """NaN, infinities, the largest and the smallest numbers, nothing at all."""
    spec = make_study(objectives=(Objective(metric="eval_loss", direction=direction),))
    trials = [
        make_trial(number, outcome=make_outcome(0.5), curve=drawn.trial(**metrics).curve)
        for number, metrics in enumerate(curves)
    ]
    found = mark(spec, trials)
    assert found.keys() <= set(range(len(trials)))
    assert all(one.message for them in found.values() for one in them)
