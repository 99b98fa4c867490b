"""What the loop counts between steps, and keeps over attempts."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from kubetune_trainer.training.gradients import Explosions

DIVERGED_AFTER = 3
"""So many steps in a row without a finite loss or gradient, and the trial has diverged."""


@dataclass(slots=True)
class Progress:
    """Sums since the last report, and what the trial's end depends on.

    `loss_sum` and `targets` are of the steps since the last report; `seconds` what they took.
    `bad_steps` counts the last ones in a row that were left out because nothing finite came.
    """

    loss_sum: float = 0.0
    targets: float = 0.0
    seconds: float = 0.0
    steps: int = 0
    bad_steps: int = 0
    best: float | None = None
    best_step: int = 0
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

    def judge(self, step: int, value: float, least: float, *, higher: bool) -> bool:
        """Takes an evaluation's value; whether it is the best by at least `least`."""
        gain = 0.0 if self.best is None else (value - self.best) * (1 if higher else -1)
        if self.best is None or gain > 0:
            self.without_improvement = (
                0 if self.best is None or gain >= least else 1 + (self.without_improvement)
            )
            self.best, self.best_step = value, step
            return True
        self.without_improvement += 1
        return False

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {**asdict(self), "explosions": self.explosions.state()}

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "Progress":
        """From what `state` gave."""
        return cls(**{**state, "explosions": Explosions.of(state["explosions"])})
