"""Regression trees over the cells of a space, and how their variance divides among its axes.

The division is functional ANOVA over trees (Hutter, Hoos, Leyton-Brown, ICML 2014): a tree is
constant on boxes, so the variance that one axis or two together bring is a sum over its leaves and
exact. Cells in place of thresholds let ranges, lists, words and "not active" be axes alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]

TREES = 50
LEAVES = 32
SHARE_OF_AXES = 0.6
"""So many of the axes, drawn anew, may divide a node: else trees are too alike."""


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of cells: how much of the space each holds, and whether neighbours are alike."""

    weights: Floats
    ordered: bool


@dataclass(frozen=True, slots=True)
class Tree:
    """A tree by its leaves: which cells of each axis a leaf holds, and its value."""

    masks: Flags
    values: Floats

    def predict(self, cells: Ints) -> Floats:
        """The value at each row of cells."""
        axes = np.arange(cells.shape[1])
        inside = self.masks[:, axes[None, :], cells].all(axis=2)
        answer: Floats = self.values[inside.argmax(axis=0)]
        return answer


@dataclass(frozen=True, slots=True)
class _Part:
    """What a tree's leaves hold of the space.

    `volumes` is each leaf's part of each axis. `factors`, by leaf and axis, is its value times its
    part of all other axes.
    """

    masks: Floats
    volumes: Floats
    factors: Floats
    mean: float
    variance: float


def _part(tree: Tree, weights: Floats) -> _Part:
    masks = tree.masks.astype(np.float64)
    volumes = np.einsum("ldg,dg->ld", masks, weights)
    whole = volumes.prod(axis=1)
    mean = float(whole @ tree.values)
    variance = float(whole @ (tree.values - mean) ** 2)
    return _Part(masks, volumes, (tree.values * whole)[:, None] / volumes, mean, variance)


@dataclass(frozen=True)
class Forest:
    """Trees over the same axes. `explained`: how well they foretell what each has not seen.

    It is 1 less the squared error over the variance: 0 and less is no better than the mean.
    """

    trees: tuple[Tree, ...]
    weights: Floats
    explained: float

    def mains(self) -> tuple[Floats, Floats]:
        """By tree and axis, the share of the variance; by axis and cell, the mean value there."""
        shares, curves = [], []
        for part in self._parts:
            curve = np.einsum("ld,ldg->dg", part.factors, part.masks)
            moved = (self.weights * (curve - part.mean) ** 2).sum(axis=1)
            shares.append(moved / part.variance if part.variance > 0 else np.zeros(len(moved)))
            curves.append(curve)
        return np.array(shares), np.mean(curves, axis=0)

    def pair(self, one: int, other: int) -> float:
        """The share of the variance that two axes bring only together, in the mean of the trees."""
        ours, theirs = self.weights[one], self.weights[other]
        shares = []
        for part in self._parts:
            factors = part.factors[:, one] / part.volumes[:, other]
            joint = (part.masks[:, one] * factors[:, None]).T @ part.masks[:, other] - part.mean
            alone = ours @ (joint @ theirs) ** 2 + theirs @ (ours @ joint) ** 2
            both = ours @ joint**2 @ theirs
            shares.append((both - alone) / part.variance if part.variance > 0 else 0.0)
        return float(np.mean(shares))

    @cached_property
    def _parts(self) -> list[_Part]:
        return [_part(tree, self.weights) for tree in self.trees]


def plant(axes: Sequence[Axis], cells: Ints, values: Floats, seed: int = 0) -> Forest:
    """A forest over observations: a row of cells, one an axis, and a value each."""
    random = np.random.default_rng(seed)
    size = max(len(axis.weights) for axis in axes)
    weights = np.array([np.pad(axis.weights, (0, size - len(axis.weights))) for axis in axes])
    grower = _Grower(axes, size, cells, values, random)
    total, seen = np.zeros(len(values)), np.zeros(len(values))
    trees = []
    for _ in range(TREES):
        rows = random.integers(0, len(values), len(values))
        tree = grower.grow(rows)
        trees.append(tree)
        unseen = np.setdiff1d(np.arange(len(values)), rows)
        total[unseen] += tree.predict(cells[unseen])
        seen[unseen] += 1
    judged = seen > 0
    errors = total[judged] / seen[judged] - values[judged]
    spread = values[judged].var()
    explained = 1.0 - float((errors**2).mean() / spread) if spread > 0 else 0.0
    return Forest(tuple(trees), weights, explained)


class _Grower:
    """Grows trees over the same observations."""

    def __init__(
        self,
        axes: Sequence[Axis],
        size: int,
        cells: Ints,
        values: Floats,
        random: np.random.Generator,
    ) -> None:
        self._axes, self._size, self._cells, self._values = axes, size, cells, values
        self._random = random
        self._least = max(2, len(values) // 100)
        self._flat = cells + size * np.arange(len(axes))[None, :]
        self._words = [index for index, axis in enumerate(axes) if not axis.ordered]
        self._straight = np.tile(np.arange(size), (len(axes), 1))
        self._lines = np.arange(len(axes))[:, None]
        self._whole = np.array([np.arange(size) < len(axis.weights) for axis in axes])

    def grow(self, rows: Ints) -> Tree:
        """One tree over these rows, the largest nodes first."""
        open_nodes = [(rows, self._whole)]
        leaves: list[tuple[Flags, float]] = []
        while open_nodes:
            open_nodes.sort(key=lambda node: len(node[0]))
            rows, mask = open_nodes.pop()
            room = len(leaves) + len(open_nodes) + 2 <= LEAVES
            split = self._split(rows, mask) if room else None
            if split is None:
                leaves.append((mask, float(self._values[rows].mean())))
                continue
            axis, left = split
            inside = left[self._cells[rows, axis]]
            for part, held in ((rows[inside], left), (rows[~inside], ~left)):
                below = mask.copy()
                below[axis] &= held
                open_nodes.append((part, below))
        return Tree(
            np.array([mask for mask, _ in leaves]), np.array([value for _, value in leaves])
        )

    def _split(self, rows: Ints, mask: Flags) -> tuple[int, Flags] | None:
        """The axis to divide by, and the cells that go left; None for a leaf."""
        number, width = len(rows), len(self._axes)
        if number < 2 * self._least:
            return None
        flat = self._flat[rows].ravel()
        values = self._values[rows]
        shape = (width, self._size)
        tally: Floats = np.bincount(flat, minlength=width * self._size).astype(np.float64)
        counts = tally.reshape(shape)
        weighted = np.repeat(values, width)
        totals = np.bincount(flat, weights=weighted, minlength=width * self._size).astype(
            np.float64
        )
        sums: Floats = totals.reshape(shape)
        order = self._order(counts, sums)
        counts, sums = counts[self._lines, order], sums[self._lines, order]
        gains = self._gains(counts.cumsum(axis=1), sums.cumsum(axis=1), number, values.sum())
        axis, place = np.unravel_index(int(gains.argmax()), shape)
        if gains[axis, place] <= 1e-12:  # noqa: PLR2004 - rounding
            return None
        left = self._left(int(axis), int(place), order[axis], counts[axis])
        return (int(axis), left) if (mask[axis] & left).any() else None

    def _order(self, counts: Floats, sums: Floats) -> Ints:
        """The cells of each axis in the order in which they may be divided: words by mean."""
        if not self._words:
            return self._straight
        order = self._straight.copy()
        for axis in self._words:
            means = sums[axis] / np.maximum(counts[axis], 1.0)
            order[axis] = np.lexsort((means, counts[axis] == 0))
        return order

    def _gains(self, counts: Floats, sums: Floats, number: int, total: float) -> Floats:
        """By axis and place, how much squared error a division after that place takes away."""
        others = number - counts
        fits = (counts >= self._least) & (others >= self._least)
        picked = self._random.random(len(self._axes)) < SHARE_OF_AXES
        if not picked.any():
            picked[:] = True
        safe_counts, safe_others = np.maximum(counts, 1.0), np.maximum(others, 1.0)
        gains = sums**2 / safe_counts + (total - sums) ** 2 / safe_others - total**2 / number
        answer: Floats = np.where(fits & picked[:, None], gains, -np.inf)
        return answer

    def _left(self, axis: int, place: int, order: Ints, counts: Floats) -> Flags:
        """The cells that go left; those that nobody has seen fall to either side by chance."""
        left = np.zeros(self._size, dtype=bool)
        if axis in self._words:
            left[order[: place + 1]] = True
            unseen = order[counts == 0]
            left[unseen] = self._random.random(len(unseen)) < 0.5  # noqa: PLR2004 - a coin
            return left
        after = np.flatnonzero(counts[place + 1 :])
        empty = int(after[0]) if len(after) else 0
        left[: place + 1 + int(self._random.integers(0, empty + 1))] = True
        return left
