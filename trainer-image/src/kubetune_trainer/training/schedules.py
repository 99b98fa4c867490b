"""How learning rates move over a trial's steps."""

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, OneCycleLR

SchedulerType: TypeAlias = Literal[
    "constant", "linear", "cosine", "cosine_with_restarts", "polynomial", "one_cycle"
]

LONGEST_WARMUP = 0.2
"""Share of all steps: a longer warmup would leave a trial without training at its rate."""

LAST_SHARE = 1e-4
"""Of its rate `polynomial` keeps so much."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneCycle:
    """The ratios of a cycle around a base rate (Smith, Topin 2018).

    The peak is `peak_ratio` times the base rate, reached after `warmup_share` of the steps; the
    start is the peak divided by `start_divisor`, the end the base rate times `end_ratio`.
    """

    peak_ratio: float = 8.0
    warmup_share: float = 0.2
    start_divisor: float = 20.0
    end_ratio: float = 1e-4


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A schedule over `steps` optimizer steps. `cycles` counts only with cosine_with_restarts."""

    kind: SchedulerType = "cosine"
    steps: int = 1
    warmup_steps: int = 0
    cycles: int = 1
    one_cycle: OneCycle = OneCycle()

    @property
    def usable_warmup_steps(self) -> int:
        """As asked for, but at most a fifth of all steps."""
        return min(self.warmup_steps, int(self.steps * LONGEST_WARMUP))

    @property
    def notes(self) -> tuple[str, ...]:
        """What was changed of what was asked for, in words."""
        if self.kind == "one_cycle" or self.usable_warmup_steps == self.warmup_steps:
            return ()
        words = f"warmup of {self.warmup_steps} steps is cut to {self.usable_warmup_steps}"
        return (f"{words}, a fifth of all {self.steps}",)


def build(optimizer: torch.optim.Optimizer, course: Course) -> LRScheduler:
    """The scheduler; it is stepped once after every optimizer step but the last."""
    if course.kind == "one_cycle":
        return _one_cycle(optimizer, course)
    return LambdaLR(optimizer, lambda done: factor(course, done))


def factor(course: Course, done: int) -> float:
    """What the rate is multiplied by after so many steps: the formulas of transformers.

    It grows from 0 over the warmup, and falls to 0 at the end; `polynomial`, of power 1, to a
    ten-thousandth, and `constant` not at all. These are not imported from there: it takes seconds.
    """
    warmup = course.usable_warmup_steps
    if done < warmup:
        return done / warmup
    at = min(1.0, (done - warmup) / max(1, course.steps - warmup))
    if course.kind == "linear":
        return 1 - at
    if course.kind == "polynomial":
        return LAST_SHARE + (1 - LAST_SHARE) * (1 - at)
    if course.kind == "cosine":
        return (1 + math.cos(math.pi * at)) / 2
    if course.kind == "cosine_with_restarts":
        return 0.0 if at == 1 else (1 + math.cos(math.pi * (course.cycles * at % 1))) / 2
    return 1.0


def _one_cycle(optimizer: torch.optim.Optimizer, course: Course) -> LRScheduler:
    ratios = course.one_cycle
    peaks = [group["lr"] * ratios.peak_ratio for group in optimizer.param_groups]
    start_ratio = ratios.peak_ratio / ratios.start_divisor
    steps = max(2, course.steps)
    return OneCycleLR(
        optimizer,
        max_lr=peaks,
        total_steps=steps,
        pct_start=max(ratios.warmup_share, 1.01 / steps),  # a way up of no length divides by 0
        div_factor=ratios.start_divisor,
        final_div_factor=start_ratio / ratios.end_ratio,
        cycle_momentum=False,
    )
