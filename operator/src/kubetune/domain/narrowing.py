"""Coarse to fine: a space whose ranges have shrunk around its best trials."""

import math
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from kubetune.domain.axes import scaled, unscaled
from kubetune.domain.space import Double, Integer, Parameter, Space
from kubetune.domain.values import Assignment


def narrowed(space: Space, leaders: Sequence[Assignment], shrink: float) -> Space:
    """The space with each range at `shrink` of its width or more, around the leaders.

    Widths are measured on the parameter's own scale. A range is laid around the median of the
    leaders' values, moved into the original one, and widened until it holds all of them: where they
    lie far apart, the parameter hardly mattered among them, and what is left out would be left out
    by chance. Steps stay where they are; lists stay whole, as does a parameter that no leader used.
    """
    return replace(
        space, parameters=tuple(_narrowed(item, leaders, shrink) for item in space.parameters)
    )


def _narrowed(parameter: Parameter, leaders: Sequence[Assignment], shrink: float) -> Parameter:
    if not isinstance(parameter, Double | Integer):
        return parameter
    values = [
        float(value)
        for leader in leaders
        if isinstance(value := leader.get(parameter.name), int | float)
        and not isinstance(value, bool)
        and parameter.low <= value <= parameter.high
    ]
    if not values:
        return parameter
    low, high = _window(parameter, values, shrink)
    if isinstance(parameter, Integer):
        first, last = _cells(parameter.low, parameter.step, low, high)
        top = parameter.low + parameter.step * last
        start = parameter.low + parameter.step * first
        return replace(parameter, low=start, high=min(top, parameter.high))
    if parameter.step is not None:
        grid = parameter.values or ()
        first, last = _cells(parameter.low, parameter.step, low, high)
        end = grid[min(last, len(grid) - 1)]  # may lie a hair above the end that was written
        return replace(parameter, low=grid[first], high=min(end, parameter.high))
    return replace(parameter, low=low, high=high)


def _window(
    parameter: Double | Integer, values: Sequence[float], shrink: float
) -> tuple[float, float]:
    """The new ends, before steps."""
    low, high = scaled(parameter, parameter.low), scaled(parameter, parameter.high)
    width = shrink * (high - low)
    middle = median(scaled(parameter, value) for value in values)
    start = min(max(middle - width / 2, low), high - width)
    first, last = unscaled(parameter, start), unscaled(parameter, start + width)
    return min(first, *values), max(last, *values)


def _cells(origin: float, step: float, low: float, high: float) -> tuple[int, int]:
    """The steps around a window, its ends included; a hair beside a step is on it."""
    slack = 1e-9 * max(1.0, (high - origin) / step)
    return math.floor((low - origin) / step + slack), math.ceil((high - origin) / step - slack)
