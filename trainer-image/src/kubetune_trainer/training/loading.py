"""Batches of examples for each step, made by other processes where there are any."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from torch.utils.data import DataLoader, Dataset

from kubetune_trainer.exits import BadConfiguration
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
        with in_own_words():
            parts = [next(made) for _ in step]
        yield parts


@contextmanager
def in_own_words() -> Iterator[None]:
    """What a process that makes batches finds wrong is said without its stack."""
    try:
        yield
    except BadConfiguration as error:
        mark = f"{BadConfiguration.__module__}.{BadConfiguration.__name__}: "
        raise BadConfiguration(str(error).rpartition(mark)[2].strip()) from None


def _keys(order: Order, from_step: int, ranks: Ranks) -> Iterator[list[tuple[int, int]]]:
    for step, parts in enumerate(order.from_step(from_step), start=from_step):
        epoch = order.epoch(step)
        for part in parts:
            yield [(index, epoch) for index in ranks.share(part)]
