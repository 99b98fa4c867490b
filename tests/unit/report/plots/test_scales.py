"""Axes of parameters, and the part of the values that is shown."""

import math

import pytest

from kubetune.domain.space import Choice, Double, Integer
from kubetune.report.plots.scales import scale, short, window
from tests.builders import make_trial


def labels(parameter):
    return [text for _, text in scale(parameter).ticks]


@pytest.mark.parametrize(
    ("parameter", "shown"),
    [
        (Double(name="r", low=1e-5, high=1e-1, log=True), ["1e-5", "1e-4", "0.001", "0.01", "0.1"]),
        (
            Double(name="r", low=6e-5, high=1.2e-4, log=True),
            ["6e-5", "7e-5", "8e-5", "9e-5", "1e-4"],
        ),
        (Double(name="r", low=0.0, high=1.0), ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (Integer(name="n", low=1, high=12), ["5", "10"]),
        (Integer(name="n", low=16, high=1024, log=True), ["20", "50", "100", "200", "500", "1000"]),
        (Choice(name="c", values=(True, False)), ["true", "false"]),
    ],
)
def test_ticks_that_can_be_read(parameter, shown):
    """Round values on the parameter's own scale; whole ones of whole numbers."""
    assert labels(parameter) == shown


def test_a_logarithmic_parameter_has_a_logarithmic_axis():
    """Each decade takes the same room."""
    axis = scale(Double(name="x", low=1e-4, high=1.0, log=True))
    trial = make_trial(0, parameters={"x": 0.01})
    assert (axis.low, axis.at(trial), axis.high) == (-4, -2, 0)


def test_what_is_not_on_an_axis_has_no_place():
    """An inactive parameter, a word that the list does not hold, a rate of nought."""
    axis = scale(Choice(name="x", values=("a", "b")))
    assert axis.at(make_trial(0, parameters={"x": "b"})) == 1
    assert axis.at(make_trial(0, parameters={"x": "c"})) is None
    assert axis.at(make_trial(0, parameters={"x": "a"}, active=frozenset())) is None
    assert scale(Double(name="x", low=1e-4, high=1.0, log=True)).place(0.0) is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(1000.0, "1000"), (1e-5, "1e-5"), (0.05, "0.05"), (128, "128"), (2.5e7, "2.5e7"), (0, "0")],
)
def test_short_labels(value, text):
    """As few letters as can be."""
    assert short(value) == text


def test_one_far_value_does_not_flatten_the_rest():
    """It is counted, and stands at the edge."""
    values = [0.5 + 0.01 * index for index in range(20)]
    found = window([*values, 1e30, math.inf, math.nan])
    assert (found.low, found.high, found.beyond) == (0.5, pytest.approx(0.69), 3)
    assert found.clip(1e30) == found.high


def test_nothing_is_cut_without_need():
    """A spread that can be shown is shown, and so is what has to be."""
    assert window([1.0, 2.0, 3.0, 4.0, 9.0]).beyond == 0
    assert window([0.5] * 20, kept=[3.0]).high == 3.0


@pytest.mark.parametrize("values", [[], [math.nan], [1e300, -1e300], [0.5], [0.1] * 9])
def test_any_values_have_a_window(values):
    """Finite and in order."""
    found = window(values)
    assert math.isfinite(found.low)
    assert found.low <= found.high
