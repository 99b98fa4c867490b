"""The four marks, and one of them on a trial."""

from dataclasses import dataclass
from enum import StrEnum


class Mark(StrEnum):
    """How a training went wrong. Where a trial's reason says the same, the words are the same."""

    DIVERGED = "Diverged"
    GRADIENT_EXPLOSION = "GradientExplosion"
    OVERFITTING = "Overfitting"
    SLOW_CONVERGENCE = "SlowConvergence"


@dataclass(frozen=True, slots=True)
class Marked:
    """A mark, the step at which it shows, and a sentence with the figures behind it.

    `step` is None where only the trial's own last word says so.
    """

    mark: Mark
    step: float | None
    message: str
