"""Batches of examples for each step, made by other processes where there are any."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from torch.utils.data import DataLoader, Dataset

from kubetune_trainer.training.order import Order
from kubetune_trainer.training.ranks import Ranks
from kubetune_trainer.training.task import Batch


class _Keys(Dataset[tuple[int, int]]):
    """Every key is its own example: `collate` reads what it stands for."""

    def __getitem__(self, key: Any) -> tuple[int, int]:
        found: tuple[int, int] = key
        return found


def batches(
    collate: Callable[[Sequence[tuple[int, int]]], Batch],
    order: Order,
    *,
    from_step: int,
    ranks: Ranks,
    workers: int = 0,
) -> Iterator[list[Batch]]:
    """The batches of each step from this one on, without end.

    Raises:
        whatever `collate` raises, when that batch is reached.
    """
    loader = DataLoader(
        _Keys(),
        batch_sampler=_keys(order, from_step, ranks),
        collate_fn=collate,
        num_workers=workers,
    )
    made = iter(loader)
    for step in order.from_step(from_step):
        yield [next(made) for _ in step]


def _keys(order: Order, from_step: int, ranks: Ranks) -> Iterator[list[tuple[int, int]]]:
    for step, parts in enumerate(order.from_step(from_step), start=from_step):
        epoch = order.epoch(step)
        for part in parts:
            yield [(index, epoch) for index in ranks.share(part)]
