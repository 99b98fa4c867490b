"""How well classes are told apart."""

import numpy as np
from numpy.typing import NDArray


class Confusion:
    """Counts predictions by class: rows are true classes, columns predicted ones."""

    def __init__(self, classes: int) -> None:
        self.counts: NDArray[np.int64] = np.zeros((classes, classes), dtype=np.int64)

    def saw(self, true: NDArray[np.int64], predicted: NDArray[np.int64]) -> None:
        """Adds some predictions."""
        np.add.at(self.counts, (true, predicted), 1)

    @property
    def accuracy(self) -> float:
        """The share that is right; NaN of nothing."""
        total = self.counts.sum()
        return float(np.trace(self.counts) / total) if total else float("nan")

    @property
    def macro_f1(self) -> float:
        """The mean of each class's F1, a class that was neither there nor predicted left out."""
        right = np.diag(self.counts)
        seen = self.counts.sum(axis=0) + self.counts.sum(axis=1)
        there = seen > 0
        if not there.any():
            return float("nan")
        return float((2 * right[there] / seen[there]).mean())
