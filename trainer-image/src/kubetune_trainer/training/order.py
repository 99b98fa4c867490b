"""Which examples a step sees: worked out from its number, so that a resumed trial goes on exactly.

Nothing is stored but the step: the order of an epoch follows from the seed and the epoch.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Batches of `batch_size` from `length` examples in a new order each epoch; the last is short.

    `groups` maps examples to what a batch may not mix, such as an image's shape; none by default.
    `accumulation` batches make one optimizer step. Batches of less than `smallest` examples are
    left out, so that each of several devices has one.
    """

    length: int
    batch_size: int
    seed: int
    accumulation: int = 1
    smallest: int = 1
    groups: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Refuses what gives no batch.

        Raises:
            ValueError: the message names the field.
        """
        for name in ("length", "batch_size", "accumulation"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)} is too small, write 1 or more")
        if self.seed < 0:
            raise ValueError(f"seed: {self.seed} must be 0 or more")
        if self.groups and len(self.groups) != self.length:
            raise ValueError(f"groups: {len(self.groups)} given for {self.length} examples")
        if self.batch_size < self.smallest or self.batches_per_epoch == 0:
            raise ValueError(f"batch_size: no batch has {self.smallest} examples, write more")

    @property
    def batches_per_epoch(self) -> int:
        """Batches that show every example once."""
        return sum(
            size // self.batch_size + (size % self.batch_size >= self.smallest > 0)
            for size in self._sizes().values()
        )

    @property
    def steps_per_epoch(self) -> int:
        """Optimizer steps of an epoch; the last one may have fewer batches."""
        return math.ceil(self.batches_per_epoch / self.accumulation)

    def epoch(self, step: int) -> int:
        """The epoch of a step; both count from 1."""
        return 1 + (step - 1) // self.steps_per_epoch

    def from_step(self, step: int) -> Iterator[list[list[int]]]:
        """The batches of each step from this one on, without end."""
        while True:
            epoch, first = self.epoch(step), (step - 1) % self.steps_per_epoch
            batches = self._batches(epoch)
            for index in range(first * self.accumulation, len(batches), self.accumulation):
                yield batches[index : index + self.accumulation]
                step += 1

    def _batches(self, epoch: int) -> list[list[int]]:
        rng = np.random.default_rng([self.seed, epoch])
        found: list[list[int]] = []
        members: dict[int, list[int]] = {}
        for example in rng.permutation(self.length).tolist():
            members.setdefault(self._group(example), []).append(example)
        for examples in members.values():
            cut = _cut(examples, self.batch_size)
            found += [batch for batch in cut if len(batch) >= self.smallest]
        if len(members) > 1:
            found = [found[index] for index in rng.permutation(len(found))]
        return found

    def _group(self, example: int) -> int:
        return self.groups[example] if self.groups else 0

    def _sizes(self) -> Mapping[int, int]:
        if not self.groups:
            return {0: self.length}
        sizes: dict[int, int] = {}
        for example in range(self.length):
            group = self._group(example)
            sizes[group] = sizes.get(group, 0) + 1
        return sizes


def _cut(examples: Sequence[int], size: int) -> list[list[int]]:
    return [list(examples[at : at + size]) for at in range(0, len(examples), size)]
