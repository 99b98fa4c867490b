"""Ranges shrink around the best, and never leave the original."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kubetune.domain.narrowing import narrowed
from kubetune.domain.space import Choice, Double, Integer, Space


def only(parameter, values, shrink=0.5):
    """The parameter narrowed around trials with these values, best first."""
    leaders = [{parameter.name: value} for value in values]
    return narrowed(Space(parameters=(parameter,)), leaders, shrink).parameters[0]


def test_a_range_is_laid_around_the_median_of_the_best():
    """Half of its width, where most of them lie."""
    found = only(Double(name="x", low=0.0, high=8.0), [3.0, 5.0, 4.0])
    assert (found.low, found.high) == (2.0, 6.0)


def test_a_logarithmic_range_shrinks_on_its_own_scale():
    """Four decades become two."""
    found = only(Double(name="x", low=1e-5, high=1e-1, log=True), [1e-3])
    assert found.low == pytest.approx(1e-4)
    assert found.high == pytest.approx(1e-2)


def test_a_range_at_the_border_is_moved_inside():
    """It keeps its width."""
    found = only(Double(name="x", low=0.0, high=8.0), [7.5])
    assert (found.low, found.high) == (4.0, 8.0)


def test_no_leader_is_left_out():
    """Where they do not agree, what would be left out would be left out by chance."""
    found = only(Double(name="x", low=0.0, high=8.0), [6.0, 0.5, 7.0])
    assert (found.low, found.high) == (0.5, 8.0)
    found = only(Double(name="x", low=0.0, high=8.0), [2.0, 3.0, 5.0], shrink=0.125)
    assert (found.low, found.high) == (2.0, 5.0)


def test_steps_stay_where_they_are():
    """The window is widened to the steps around it."""
    found = only(Double(name="x", low=0.25, high=0.9, step=0.05), [0.6])
    assert found.step == 0.05
    assert set(found.values) < set(Double(name="x", low=0.25, high=0.9, step=0.05).values)
    assert 0.6 in found.values
    whole = only(Integer(name="x", low=1, high=33, step=4), [9, 13])
    assert whole.values == (1, 5, 9, 13, 17, 21)


@pytest.mark.parametrize("values", [(64, 128, 256), ("a", "b")])
def test_lists_stay_whole(values):
    """What is listed was meant to be tried."""
    parameter = Choice(name="x", values=values, ordered=True)
    assert only(parameter, [values[0]]) is parameter


def test_what_no_leader_used_stays_as_it_is():
    """A conditional parameter that was never active says nothing."""
    parameter = Double(name="x", low=0.0, high=1.0)
    space = Space(parameters=(parameter,))
    assert narrowed(space, [{}, {}], 0.5).parameters == (parameter,)
    assert narrowed(space, [], 0.5).parameters == (parameter,)


@st.composite
def ranges(draw):
    """Any range as a person writes it: plain, with steps or logarithmic."""
    low, width = (round(draw(st.floats(*ends)), 3) for ends in ((-5, 5), (0.1, 100)))
    kind = draw(st.integers(0, 3))
    low = math.exp(low) if kind == 0 else low
    step = (None, None, 0.1, 0.3)[kind]
    return Double(name="x", low=low, high=low + width, step=step, log=kind == 0)


@given(ranges(), st.lists(st.floats(0, 1), min_size=1, max_size=7), st.floats(0.05, 1))
@example(Double(name="x", low=4.188, high=4.287999999999999, step=0.1), [0.0], 1.0)
def test_narrowing_stays_inside_and_holds_the_leaders(parameter, shares, shrink):
    """For any range, scale, step and leaders."""
    grid, width = parameter.values, parameter.high - parameter.low
    values = [
        grid[int(share * (len(grid) - 1))] if grid else parameter.low + share * width
        for share in shares
    ]
    values = [min(value, parameter.high) for value in values]
    found = only(parameter, values, shrink)
    assert parameter.low <= found.low <= min(values)
    assert max(values) <= found.high <= parameter.high
    assert not grid or set(found.values) <= set(grid)
