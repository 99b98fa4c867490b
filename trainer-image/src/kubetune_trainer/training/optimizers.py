"""Optimizers by name, over groups of parameters with rates of their own."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import torch
from torch import nn

OptimizerType: TypeAlias = Literal["AdamW", "AdamW8bit", "Prodigy", "SGD"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Parameters that share a learning rate and a weight decay; `name` is part of metric names."""

    name: str
    parameters: Sequence[nn.Parameter]
    learning_rate: float
    weight_decay: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Which optimizer, and what it takes beside rates and decay.

    `d_coef` scales what Prodigy estimates, 0.5 to 2 is usual. Others ignore it, as SGD does the
    betas but for the first, its momentum.
    """

    kind: OptimizerType = "AdamW"
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    d_coef: float = 1.0


@dataclass(frozen=True, slots=True)
class Optimizer:
    """An optimizer, and what was changed of what was asked for, in words."""

    torch_optimizer: torch.optim.Optimizer
    names: tuple[str, ...]
    notes: tuple[str, ...] = field(default=())

    @property
    def parameters(self) -> list[nn.Parameter]:
        """All that it trains, as a list: an iterator would be empty the second time."""
        groups = self.torch_optimizer.param_groups
        return [parameter for group in groups for parameter in group["params"]]

    def rates(self) -> dict[str, float]:
        """The rate in effect now, by group; of Prodigy the estimated one times the schedule's."""
        return {
            name: float(group["lr"] * group.get("d", 1.0))
            for name, group in zip(self.names, self.torch_optimizer.param_groups, strict=True)
        }


def build(groups: Iterable[Group], recipe: Recipe) -> Optimizer:
    """An optimizer over those groups that learn at all: a rate of 0 leaves a group out.

    Prodigy estimates one rate for all groups and refuses different ones, so it gets 1.0 for each
    (Mishchenko, Defazio 2024); the given rates only say what is trained.

    Raises:
        ValueError: no group has both parameters and a rate, or the package is not installed.
    """
    learning = [group for group in groups if group.learning_rate > 0 and group.parameters]
    if not learning:
        raise ValueError("learning_rate: nothing is trained, write a rate greater than 0")
    names = tuple(group.name for group in learning)
    given: list[dict[str, Any]] = [
        {
            "params": list(group.parameters),
            "lr": 1.0 if recipe.kind == "Prodigy" else group.learning_rate,
            "weight_decay": group.weight_decay,
        }
        for group in learning
    ]
    notes: tuple[str, ...] = ()
    if recipe.kind == "Prodigy":
        notes = ("Prodigy finds its own rate: a learning rate only says that a part is trained",)
    return Optimizer(_made(given, recipe), names, notes)


def _made(groups: list[dict[str, Any]], recipe: Recipe) -> torch.optim.Optimizer:
    if recipe.kind == "AdamW":
        kinds = {parameter.device.type for group in groups for parameter in group["params"]}
        fused = True if kinds <= {"cuda", "cpu"} else None  # on a CPU it is not what torch chooses
        return torch.optim.AdamW(groups, betas=recipe.betas, eps=recipe.eps, fused=fused)
    if recipe.kind == "SGD":
        return torch.optim.SGD(groups, momentum=recipe.betas[0])
    try:
        if recipe.kind == "AdamW8bit":
            from bitsandbytes.optim import AdamW8bit  # noqa: PLC0415 - seconds, for this kind only

            made: torch.optim.Optimizer = AdamW8bit(groups, betas=recipe.betas, eps=recipe.eps)
            return made
        from prodigyopt import Prodigy  # noqa: PLC0415 - as above
    except ImportError as error:
        raise ValueError(f"optimizer_type: {recipe.kind} cannot be used here: {error}") from error
    found: torch.optim.Optimizer = Prodigy(
        groups,
        betas=recipe.betas,
        eps=recipe.eps,
        d_coef=recipe.d_coef,
        decouple=True,
        use_bias_correction=True,
        safeguard_warmup=True,
    )
    return found
