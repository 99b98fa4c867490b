"""Sequences that visit a space without a model: grids in a shuffled order, and Sobol points.

Both are functions of (seed, index): nothing but the number of points used is remembered.
"""

import math
from collections.abc import Sequence
from typing import Any

from kubetune.adapters.optuna.seeds import keyed, seed
from kubetune.domain.axes import Axis, AxisKind

POINTS = 5
"""Values that a grid takes of an axis without a finite number of them."""

ROUNDS = 4
"""Rounds of the Feistel network: enough to look shuffled, it need not be secret."""


class Shuffle:
    """A permutation of 0 .. size - 1 that takes no memory.

    A Feistel network permutes the next power of four; results outside the range are put through
    again until they fall inside (cycle walking, Black and Rogaway 2002), four times at most on
    average.
    """

    def __init__(self, size: int, key: int) -> None:
        self.size = size
        self._key = key
        self._half = max((max(size - 1, 1).bit_length() + 1) // 2, 1)

    def __getitem__(self, index: int) -> int:
        """The place of an index."""
        if not 0 <= index < self.size:
            raise IndexError(index)
        place = self._feistel(index)
        while place >= self.size:
            place = self._feistel(place)
        return place

    def _feistel(self, number: int) -> int:
        mask = (1 << self._half) - 1
        left, right = number >> self._half, number & mask
        for turn in range(ROUNDS):
            left, right = right, left ^ keyed(self._key, turn, right, bits=self._half)
        return left << self._half | right


class Grid:
    """Every combination of the axes' values once, in an order that depends on the seed."""

    def __init__(self, axes: Sequence[Axis], study_seed: int, points: int = POINTS) -> None:
        self._axes = axes
        self._points = points
        self._counts = [item.size or points for item in axes]
        self.size = math.prod(self._counts)
        self._order = Shuffle(self.size, seed(study_seed, "grid"))

    def __getitem__(self, index: int) -> dict[str, float | int]:
        """The point at an index from 0; IndexError past the last."""
        place = self._order[index]
        point: dict[str, float | int] = {}
        for item, count in zip(self._axes, self._counts, strict=True):
            place, level = divmod(place, count)
            point[item.name] = _level(item, level, count)
        return point


class Sobol:
    """Scrambled Sobol points: evenly spread, in any number (Owen 1998)."""

    size = 2**30

    def __init__(self, axes: Sequence[Axis], study_seed: int, *, scramble: bool = True) -> None:
        self._axes = axes
        self._scramble = scramble
        self._seed = seed(study_seed, "sobol")
        self._next = 0
        self._engine: Any = None

    def __getitem__(self, index: int) -> dict[str, float | int]:
        """The point at an index from 0; cheap when indices only grow."""
        if self._engine is None or index < self._next:
            from scipy.stats import qmc  # noqa: PLC0415 - half a second that only QMC pays

            self._engine = qmc.Sobol(len(self._axes), scramble=self._scramble, rng=self._seed)
            self._next = 0
        if index > self._next:
            self._engine.fast_forward(index - self._next)
        units = self._engine.random(1)[0]
        self._next = index + 1
        pairs = zip(self._axes, units, strict=True)
        return {item.name: item.at(float(unit)) for item, unit in pairs}


def _level(item: Axis, level: int, count: int) -> float | int:
    """The coordinate of one of `count` values of an axis."""
    match item.kind:
        case AxisKind.CATEGORY:
            return level
        case AxisKind.INT:
            return int(item.low) + level
        case _ if count == 1:
            return item.middle
        case _ if level in (0, count - 1):
            return item.high if level else item.low
        case _:
            return item.at(level / (count - 1))
