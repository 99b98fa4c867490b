"""The processes of one trial, one for each device; a single one without `torchrun`."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class Ranks:
    """This process among `size` ones; the first reports, and all stop at the same step."""

    rank: int = 0
    size: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the one that reports and saves."""
        return self.rank == 0

    def share(self, items: Sequence[ItemT]) -> list[ItemT]:
        """This process's part of the examples of a batch; it may be empty."""
        return list(items[self.rank :: self.size])

    def wrapped(self, module: nn.Module) -> nn.Module:
        """The module as all processes train it together."""
        if self.size == 1:
            return module
        return DistributedDataParallel(module)

    def total(self, value: float, device: torch.device) -> float:
        """The sum over all processes."""
        if self.size == 1:
            return value
        tensor = torch.tensor(value, dtype=torch.float64, device=device)
        dist.all_reduce(tensor)
        return float(tensor)

    def any(self, *, flag: bool, device: torch.device) -> bool:
        """Whether it holds in any process."""
        return flag if self.size == 1 else self.total(float(flag), device) > 0

    def wait(self) -> None:
        """Until all processes are here."""
        if self.size > 1:
            dist.barrier()


@contextmanager
def joined() -> Iterator[Ranks]:
    """The processes that `torchrun` started, for the block; alone without it.

    A block that fails does not take leave of the others: it would wait for them, or break their
    step, before it has said why.
    """
    size = int(os.environ.get("WORLD_SIZE", "1"))
    if size == 1:
        yield Ranks()
        return
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    yield Ranks(dist.get_rank(), size)
    dist.destroy_process_group()
