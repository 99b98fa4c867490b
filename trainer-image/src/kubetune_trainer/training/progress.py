"""What the loop counts between steps, and keeps over attempts."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from kubetune_trainer.training.gradients import Explosions

DIVERGED_AFTER = 3
"""So many steps in a row without a finite loss or gradient, and the trial has diverged."""

TINY = 1e-12
"""An improvement is more than nothing."""


@dataclass(slots=True)
class Progress:
    """Sums since the last report, and what the trial's end depends on.

    `loss_sum` and `targets` are of the steps since the last report that were taken, `seconds` of
    all of those `steps`, `epoch_seconds` of the epoch's steps so far. `skipped` steps were left out
    in the whole trial because nothing finite came, the last `bad_steps` in a row. `mark` is the
    value that the next one must improve on by some least amount to count for the patience; `best`
    may be a little better.
    """

    loss_sum: float = 0.0
    targets: float = 0.0
    seconds: float = 0.0
    steps: int = 0
    epoch_seconds: float = 0.0
    skipped: int = 0
    bad_steps: int = 0
    best: float | None = None
    best_step: int = 0
    mark: float | None = None
    without_improvement: int = 0
    evaluation_due: bool = False
    explosions: Explosions = field(default_factory=Explosions)

    @property
    def diverged(self) -> bool:
        """Whether nothing more is to be hoped for."""
        return self.bad_steps >= DIVERGED_AFTER

    def begin_window(self) -> None:
        """The sums have been reported."""
        self.loss_sum = self.targets = self.seconds = 0.0
        self.steps = 0

    def saw(self, step: int, norm: float, *, finite: bool) -> None:
        """Takes a step's gradient norm, and whether the step was taken."""
        self.skipped += not finite
        self.bad_steps = 0 if finite else self.bad_steps + 1
        self.explosions.saw(step, norm)

    def count(self, loss: float, targets: float) -> None:
        """Takes the loss of a step, summed over its targets."""
        self.loss_sum += loss
        self.targets += targets

    def took(self, seconds: float) -> None:
        """Takes the time of a step."""
        self.seconds += seconds
        self.epoch_seconds += seconds
        self.steps += 1

    def judge(self, step: int, value: float, least: float, *, higher: bool) -> bool:
        """Takes an evaluation's value; whether it is the best so far.

        One that is better by less than `least` than what last counted as an improvement is no
        improvement, nor is one that is not finite. What the model was before the first step may
        be the best, and counts neither way: a training that warms up is worse than that at first.
        """
        sign = 1 if higher else -1
        finite = math.isfinite(value)
        improved = self.mark is None or sign * (value - self.mark) >= max(least, TINY)
        if step and finite and improved:
            self.mark, self.without_improvement = value, 0
        elif step:
            self.without_improvement += 1
        better = finite and (self.best is None or sign * (value - self.best) > 0)
        if better:
            self.best, self.best_step = value, step
        return better

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {**asdict(self), "explosions": self.explosions.state()}

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "Progress":
        """From what `state` gave."""
        return cls(**{**state, "explosions": Explosions.of(state["explosions"])})
