"""Curves: what is kept, what is summed up, and how a step is looked up."""

import math

import pytest

from kubetune.domain import curves
from kubetune.domain.study import Direction, Objective, Summary
from kubetune.domain.trial import Point
from tests.builders import make_points, make_trial

LOSS = Objective(metric="loss", direction=Direction.MINIMIZE)
LAST = Objective(metric="loss", direction=Direction.MINIMIZE, summary=Summary.LAST)


def test_a_curve_holds_one_metric_where_it_was_reported():
    """Points without the metric are left out; non-finite values are not."""
    points = (
        Point(1, {"loss": 0.5}),
        Point(2, {"other": 1.0}),
        Point(3, {"loss": math.inf}),
    )
    assert curves.objective_curve(points, "loss") == ((1, 0.5), (3, math.inf))


def test_a_trial_stands_for_its_curve():
    """A trial and its points give the same curve."""
    trial = make_trial(curve=make_points(0.1, 0.2))
    assert curves.objective_curve(trial, "accuracy") == ((1, 0.1), (2, 0.2))


@pytest.mark.parametrize(
    ("values", "objective", "expected"),
    [
        ((3.0, 1.0, 2.0), LOSS, 1.0),
        ((3.0, 1.0, 2.0), LAST, 2.0),
        ((3.0, 4.0), Objective(metric="loss", direction=Direction.MAXIMIZE), 4.0),
        ((3.0, math.nan), LAST, 3.0),
        ((-math.inf, 2.0), LOSS, 2.0),
        ((math.nan,), LOSS, None),
        ((), LOSS, None),
    ],
)
def test_a_summary_is_always_finite(values, objective, expected):
    """Best is the best finite value, Last the last finite one, None when there is none."""
    curve = tuple(enumerate(values))
    assert curves.summarise(curve, objective) == expected


@pytest.mark.parametrize(
    ("step", "objective", "expected"),
    [
        (0, LAST, 0.5),
        (2, LAST, 0.7),
        (2, LOSS, 0.5),
        (3, LAST, 0.7),
        (5, LAST, 0.2),
        (6, LAST, None),
    ],
)
def test_the_value_at_a_rung_is_that_of_the_first_report_there(step, objective, expected):
    """The first report at the step or after it counts; None before the trial came so far."""
    points = (
        Point(1, {"loss": 0.5}),
        Point(2, {"other": 0.0}),
        Point(4, {"loss": 0.7}),
        Point(5, {"loss": 0.2}),
    )
    assert curves.value_at(points, objective, step) == expected


@pytest.mark.parametrize(
    ("step", "expected"), [(0.5, None), (1, 0.5), (3, 0.5), (4, 0.7), (5, None)]
)
def test_the_value_during_a_step_is_the_last_one_known_then(step, expected):
    """A curve says nothing of a step before its first or after its last point."""
    points = (Point(1, {"loss": 0.5}), Point(2, {"other": 0.0}), Point(4, {"loss": 0.7}))
    assert curves.value_during(points, "loss", step) == expected


def test_last_metrics_of_no_points_are_empty():
    """A trial that never reported has no metrics."""
    assert curves.last_metrics(()) == {}
