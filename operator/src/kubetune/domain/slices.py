"""What constraints leave of one parameter when all others that they name are known.

A slice is a list of values, or a union of closed intervals. Its ends are exact where a clause
compares the parameter with something that does not depend on it (`learning_rate > 1.1e-4`), and
found by bisection to neighbouring floats elsewhere; in between, the constraints themselves are
asked. What lies in a slice is checked once more as a whole, so a slice can only waste draws, never
let a forbidden combination through.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kubetune.domain.axes import scaled, unscaled
from kubetune.domain.space import Double, Integer
from kubetune.domain.values import Value

SCAN_POINTS = 33
"""Where a clause without a plain boundary is probed for changes of its answer."""

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class ListSlice:
    """The allowed values of a list, in order; a unit coordinate picks one of equal shares."""

    values: tuple[Value, ...]

    def at(self, unit: float) -> Value:
        """The value at a unit coordinate."""
        return self.values[min(int(unit * len(self.values)), len(self.values) - 1)]

    def nearest(self, value: Value, all_values: Sequence[Value]) -> Value:
        """The allowed value with the nearest place in the whole list; the lower of two."""
        place = all_values.index(value)
        return min(self.values, key=lambda kept: abs(all_values.index(kept) - place))


@dataclass(frozen=True, slots=True)
class RangeSlice:
    """Allowed intervals of a range, in order and apart; lengths count on the parameter's scale."""

    parameter: Double | Integer
    intervals: tuple[Interval, ...]

    def at(self, unit: float) -> float:
        """The value at a unit coordinate; a whole number is for the caller to round to."""
        rest = unit * sum(self._lengths())
        for (low, high), length in zip(self.intervals, self._lengths(), strict=True):
            if rest <= length:
                start = scaled(self.parameter, low - self._margin)
                return min(max(unscaled(self.parameter, start + rest), low), high)
            rest -= length
        return self.intervals[-1][1]

    def nearest(self, value: float) -> float:
        """The allowed value nearest to a value, on the parameter's scale."""
        ends = [min(max(value, low), high) for low, high in self.intervals]
        place = scaled(self.parameter, value)
        return min(ends, key=lambda end: abs(scaled(self.parameter, end) - place))

    @property
    def _margin(self) -> float:
        """A whole number owns half a step to either side of it."""
        return self.parameter.step / 2 if isinstance(self.parameter, Integer) else 0.0

    def _lengths(self) -> list[float]:
        margin = self._margin
        return [
            scaled(self.parameter, high + margin) - scaled(self.parameter, low - margin)
            for low, high in self.intervals
        ]


def list_slice(values: Sequence[Value], allowed: Callable[[Value], bool]) -> ListSlice | None:
    """The allowed ones of a list; None when there is none."""
    kept = tuple(value for value in values if allowed(value))
    return ListSlice(kept) if kept else None


def range_slice(
    parameter: Double | Integer,
    allowed: Callable[[float], bool],
    ends: Sequence[float],
    clauses: Sequence[Callable[[float], bool]],
) -> RangeSlice | None:
    """The allowed intervals of a range; None when there is none.

    `ends` are known boundaries; each of `clauses` is a truth whose changes along the range are
    looked for.
    """
    marks = {parameter.low, parameter.high}
    marks.update(end for end in ends if parameter.low < end < parameter.high)
    for clause in clauses:
        marks.update(_changes(parameter, clause))
    intervals = _join(parameter, sorted(marks), allowed)
    if isinstance(parameter, Integer):
        intervals = tuple(_whole(parameter, intervals))
    return RangeSlice(parameter, intervals) if intervals else None


def _whole(parameter: Integer, intervals: Sequence[Interval]) -> Iterator[Interval]:
    """The intervals drawn in to the nearest legal whole numbers; those without one drop out."""
    start, step = parameter.low, parameter.step
    for low, high in intervals:
        first = start + step * math.ceil((low - start) / step)
        last = start + step * math.floor((high - start) / step)
        if first <= last:
            yield float(first), float(last)


def _join(
    parameter: Double | Integer, marks: Sequence[float], allowed: Callable[[float], bool]
) -> tuple[Interval, ...]:
    """Asks at every mark and between every two, and joins what is allowed and touches."""
    found: list[list[float]] = []
    lone: list[Interval] = []
    at_mark = [allowed(mark) for mark in marks]
    for index, (left, right) in enumerate(pairwise(marks)):
        middle = (scaled(parameter, left) + scaled(parameter, right)) / 2
        if not allowed(unscaled(parameter, middle)):
            continue
        low = left if at_mark[index] else math.nextafter(left, math.inf)
        high = right if at_mark[index + 1] else math.nextafter(right, -math.inf)
        if low > high:
            continue
        if found and found[-1][1] == low and at_mark[index]:
            found[-1][1] = high
        else:
            found.append([low, high])
    if not found:
        lone = [(mark, mark) for mark, good in zip(marks, at_mark, strict=True) if good]
    return tuple((low, high) for low, high in found) or tuple(lone)


def _changes(parameter: Double | Integer, clause: Callable[[float], bool]) -> list[float]:
    """Where a truth changes along the range: both neighbouring floats of each change found."""
    low, high = scaled(parameter, parameter.low), scaled(parameter, parameter.high)
    probes = [
        unscaled(parameter, low + (high - low) * index / (SCAN_POINTS - 1))
        for index in range(SCAN_POINTS)
    ]
    answers = [clause(probe) for probe in probes]
    marks: list[float] = []
    for index in range(SCAN_POINTS - 1):
        if answers[index] != answers[index + 1]:
            marks.extend(_bisect(clause, probes[index], probes[index + 1], answers[index]))
    return marks


def _bisect(clause: Callable[[float], bool], left: float, right: float, at_left: bool) -> Interval:  # noqa: FBT001 - the answer at `left`
    while True:
        middle = (left + right) / 2
        if not left < middle < right:
            return left, right
        if clause(middle) == at_left:
            left = middle
        else:
            right = middle
