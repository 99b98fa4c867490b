"""Lists of values: Katib's are all text, and a discrete parameter means numbers."""

import pytest

from tests.unit.convert.made import said, spec

LIST = ("parameterType: categorical\n    feasibleSpace: {list: [sgd, adam]}",)


def made(kind, space):
    return (LIST[0], f"parameterType: {kind}\n    feasibleSpace: {{{space}}}")


@pytest.mark.parametrize(
    ("kind", "values", "wire"),
    [
        ("categorical", '["1", "2"]', {"type": "Categorical", "values": ["1", "2"]}),
        ("categorical", "[1, true]", {"type": "Categorical", "values": ["1", "true"]}),
        ("discrete", '["4", "-2", "8"]', {"type": "Integer", "values": [4, -2, 8]}),
        ("discrete", '["0.5", "1", "1e2"]', {"type": "Double", "values": [0.5, 1.0, 100.0]}),
        ("discrete", '["1", "large"]', {"type": "Categorical", "values": ["1", "large"]}),
    ],
)
def test_values_keep_their_kind(kind, values, wire):
    """Text stays text, as the trial is told it; numbers are in order for the sampler."""
    found = spec(made(kind, f"list: {values}"))["parameters"][2]
    assert found == {"name": "optimizer", **wire}


def test_what_is_no_number_is_said():
    """A discrete parameter with text has no order."""
    (line,) = said(made("discrete", 'list: ["1", "large"]'))
    assert line.startswith("approximated: list: '1', 'large' are not all numbers")


def test_a_distribution_of_a_list_is_named():
    """A list is drawn from alike, whatever is asked for."""
    lines = said(made("categorical", "list: [a, b], distribution: normal, min: '1'"))
    assert lines == [
        "left out: min: a parameter of type categorical has no min: nothing to do",
        "left out: distribution: 'normal': the values of a list are drawn alike: nothing to do",
    ]
