"""The objective's curve, kept small however long the trial is."""

import math
from collections.abc import Iterable
from typing import TypeAlias

Point: TypeAlias = tuple[float, float]
"""A step and the objective's value there."""

LIMIT = 64
"""How many points a result carries."""


class Curve:
    """The last points of the objective, with the lowest and the highest of all of them.

    Those two are kept because a study may take a curve's best point as the trial's value, and a
    trial may report far more points than fit into a result.
    """

    def __init__(self, points: Iterable[Point] = ()) -> None:
        self._points: list[Point] = list(points)

    def add(self, step: float, value: float) -> None:
        """Adds a point; a second value at the last step replaces the first."""
        if self._points and self._points[-1][0] == step:
            self._points.pop()
        self._points.append((step, value))
        if len(self._points) > 2 * LIMIT:
            self._points = list(self.points)

    @property
    def points(self) -> tuple[Point, ...]:
        """At most `LIMIT` points in order of steps."""
        if len(self._points) <= LIMIT:
            return tuple(self._points)
        tail = self._points[2 - LIMIT :]
        return tuple(point for point in extremes(self._points) if point not in tail) + tuple(tail)


def thinned(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """About half of the points: every second from the end, and always both extremes."""
    kept = set(points[::-2]) | set(extremes(points))
    return tuple(point for point in points if point in kept)


def extremes(points: Iterable[Point]) -> tuple[Point, ...]:
    """The points of the lowest and the highest finite value, in order of steps."""
    finite = [point for point in points if math.isfinite(point[1])]
    if not finite:
        return ()
    low = min(finite, key=lambda point: point[1])
    high = max(finite, key=lambda point: point[1])
    return tuple(sorted({low, high}))
