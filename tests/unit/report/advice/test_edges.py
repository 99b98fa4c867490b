"""Advice on a best value at the end of its range: which end, and what range next."""

import pytest

from kubetune.domain.space import Choice, Double, Integer, Space
from kubetune.report.advice import edges
from tests.unit.report import made

LOG = Double(name="rate", low=1e-4, high=1.0, log=True)


def said(parameter, value, others=()):
    """What is said of a best trial with this value, and worse trials with others."""
    space = Space(parameters=(parameter,))
    active = frozenset({parameter.name})
    trials = [
        made.trial(number, 0.9 - 0.01 * number, parameters={parameter.name: one}, active=active)
        for number, one in enumerate((value, *others))
    ]
    return "\n".join(edges.edges(made.findings(*trials, space=space)))


@pytest.mark.parametrize(
    ("parameter", "value", "words"),
    [
        (LOG, 1e-4, "at the lower end of its range (0.0001 to 1): search 1e-05 to 0.001 next"),
        (LOG, 1.0, "at the upper end of its range (0.0001 to 1): search 0.1 to 10 next"),
        (Double(name="x", low=1.0, high=3.0), 3.0, "search 2 to 4 next"),
        (Double(name="x", low=1.0, high=3.0), 1.0, "search 0.5 to 2 next"),
        (Double(name="x", low=-1.0, high=1.0), -1.0, "search -2 to 0 next"),
        (Double(name="dropout", low=0.0, high=0.5), 0.0, "fix it at 0"),
        (Integer(name="n", low=2, high=10), 10, "search 6 to 14 next"),
        (Integer(name="n", low=2, high=512, log=True), 2, "search 1 to 20 next"),
        (Choice(name="c", values=(8, 16, 32), ordered=True), 32, "add 64"),
        (Choice(name="c", values=(8, 16, 32), ordered=True), 8, "add 4"),
        (Choice(name="c", values=(10, 20, 30), ordered=True), 30, "add 40"),
        (Choice(name="c", values=(1, 5, 7), ordered=True), 7, "add larger values"),
    ],
)
def test_the_range_to_try_next(parameter, value, words):
    """It reaches beyond the end on the parameter's own scale, and never where nothing can be."""
    assert words in said(parameter, value)


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        (LOG, 0.01),
        (Double(name="x", low=1.0, high=3.0), 2.9),
        (Choice(name="c", values=(8, 16, 32), ordered=True), 16),
        (Choice(name="c", values=("a", "b", "c")), "c"),
        (Integer(name="n", low=1, high=2), 2),
    ],
)
def test_nothing_of_a_value_inside(parameter, value):
    """The middle, words and a choice of two have no edge."""
    assert said(parameter, value) == ""


def test_how_many_of_the_top_agree():
    """One at the edge may be luck, five are not."""
    assert "and 5 of the top 5 are near it" in said(LOG, 1.0, (0.9, 0.8, 0.7, 0.6))
    assert "and 1 of the top 5 is near it" in said(LOG, 1.0, (0.01, 0.01, 0.01, 0.01))
