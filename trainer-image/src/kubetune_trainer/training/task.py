"""What a recipe brings to the loop, and what the loop is told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import torch
from torch import nn

Batch: TypeAlias = Mapping[str, Any]
"""What `collate` made of some examples; its tensors are moved to the device by the loop."""

Asked: TypeAlias = Callable[[], bool]
"""Whether the trial has been told to stop."""


class Task(Protocol):
    """A model, its data, and what is measured.

    `module` holds all that is trained; in a trial over several devices each holds a copy.
    `counters` are sums that the task keeps over steps for its next evaluation; they are saved.
    """

    @property
    def module(self) -> nn.Module:
        """See above."""
        ...

    counters: dict[str, float]

    @property
    def length(self) -> int:
        """How many examples there are to train with."""
        ...

    def collate(self, examples: Sequence[tuple[int, int]]) -> Batch:
        """A batch from examples, each an index and the epoch: what is random follows from both.

        It may run in a process of its own, and must not touch the model.
        """
        ...

    def targets(self, batch: Batch) -> float:
        """How many targets the loss of a batch is a sum over: tokens, images."""
        ...

    def loss(self, module: nn.Module, batch: Batch) -> torch.Tensor:
        """The sum of the losses of a batch's targets. `module` is to be called, not `self.module`.

        A sum, so that the batches of one step weigh by their targets: the mean of their means
        would be another gradient.
        """
        ...

    def evaluate(self, stop: Asked) -> Mapping[str, float] | None:
        """Metrics of the model as it is now; None when it was told to stop and broke off."""
        ...

    def test(self, stop: Asked) -> Mapping[str, float] | None:
        """Metrics on held-back data, which nothing else opens; None when it broke off."""
        ...

    def keep(self, folder: Path) -> None:
        """Writes the model as it is now, for others to load."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How long and in which portions.

    `steps` are optimizer steps. Metrics of training are reported every `log_every` steps, the
    model is evaluated every `evaluate_every` and after the last, and with `evaluate_first` as it
    is before the first. `patience` evaluations without an improvement of `min_improvement` in the
    first objective end the trial, 0 never does.
    """

    steps: int
    log_every: int
    evaluate_every: int
    evaluate_first: bool = True
    largest_gradient_norm: float = 1.0
    patience: int = 0
    min_improvement: float = 0.0
    higher_is_better: bool = False
    watched: str = ""
    unit: str = "examples"
