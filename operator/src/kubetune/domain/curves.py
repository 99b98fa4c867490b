"""A trial's curve of one metric: (step, value) in order of steps, and what it comes to.

Values may be NaN or infinite, as trials report them. They stay in a curve, so that whoever reads
it can refuse them, and never become a summary: a best or last value is always a finite one.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from kubetune.domain.study import Direction, Objective, Summary
from kubetune.domain.trial import Point, Trial
from kubetune.domain.values import Metrics

Curve: TypeAlias = tuple[tuple[float, float], ...]
"""(step, value), steps ascending, each once."""


def objective_curve(source: Trial | Sequence[Point], metric: str) -> Curve:
    """Every (step, value) at which `metric` was reported, non-finite values included."""
    points = source.curve if isinstance(source, Trial) else source
    return tuple((point.step, point.metrics[metric]) for point in points if metric in point.metrics)


def summarise(curve: Curve, objective: Objective) -> float | None:
    """The curve as one number by `objective.summary`; None without a finite value."""
    values = [value for _, value in curve if math.isfinite(value)]
    if not values:
        return None
    return values[-1] if objective.summary is Summary.LAST else best(values, objective.direction)


def best(values: Iterable[float], direction: Direction) -> float:
    """The best of some finite values; at least one."""
    return min(values) if direction is Direction.MINIMIZE else max(values)


def value_at(points: Sequence[Point], objective: Objective, step: float) -> float | None:
    """What the trial stood at when it reached `step`: the first report at `step` or after it.

    With summary Best that is the best value up to that report, with Last the report's own. None
    when the trial has not come so far. Looks the report up by bisection, so that thousands of
    long curves stay cheap.
    """
    metric = objective.metric
    for index in range(bisect_left(points, step, key=_step), len(points)):
        value = points[index].metrics.get(metric)
        if value is None:
            continue
        if objective.summary is Summary.LAST:
            return value
        past = [point.metrics[metric] for point in points[: index + 1] if metric in point.metrics]
        finite = list(filter(math.isfinite, past))
        return best(finite, objective.direction) if finite else value
    return None


def value_during(points: Sequence[Point], metric: str, step: float) -> float | None:
    """The value that held at `step`: the last one reported there or before.

    None when the curve ends before `step` or begins after it: such a trial has nothing to say
    about that step.
    """
    index = bisect_left(points, step, key=_step)
    if index == len(points):
        return None
    if points[index].step > step:
        index -= 1
    for earlier in range(index, -1, -1):
        value = points[earlier].metrics.get(metric)
        if value is not None:
            return value
    return None


def last_metrics(points: Sequence[Point]) -> Metrics:
    """The newest value of each metric, over all points; empty without one."""
    newest: dict[str, float] = {}
    for point in points:
        newest.update(point.metrics)
    return newest


def _step(point: Point) -> float:
    return point.step
