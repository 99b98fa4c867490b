"""One metric of a trial over its steps, what it stands at, and how much of it is noise."""

import math
from collections.abc import Sequence
from statistics import median

from kubetune.domain.curves import Curve, objective_curve
from kubetune.domain.marks import limits
from kubetune.domain.study import Direction, Objective
from kubetune.domain.trial import Trial

TRAINING_LOSSES = ("train_loss", "loss")
GRADIENT_NORMS = ("gradient_norm", "grad_norm")
EXPLOSIONS = "gradient_explosions"
"""Names by which trainers report: ours, then those of the Hugging Face trainer."""

_NORMAL_MEDIAN = 0.6745
"""The median size of standard normal noise."""

_MEDIAN_ERROR = 1.2533
"""The standard error of a median over that of a mean, of normal noise."""


def first_of(trial: Trial, names: Sequence[str], *, but: str = "") -> tuple[str, Curve]:
    """The first of these metrics that the trial has reported, and its curve."""
    for name in names:
        if name != but and (curve := objective_curve(trial, name)):
            return name, curve
    return "", ()


def finite(curve: Curve) -> Curve:
    """Without values that are NaN or infinite."""
    return tuple((step, value) for step, value in curve if math.isfinite(value))


def not_finite_since(curve: Curve, *, at_end: int) -> float | None:
    """The step from which on no finite value came: several times in a row, or to the end.

    At the end it takes `at_end` of them.
    """
    run: list[float] = []
    for step, value in curve:
        if math.isfinite(value):
            run = []
            continue
        run.append(step)
        if len(run) == limits.NON_FINITE:
            return run[0]
    return run[0] if len(run) >= at_end else None


def costs(curve: Curve, objective: Objective) -> list[float]:
    """The values turned so that less is better."""
    return [sign(objective) * value for _, value in curve]


def sign(objective: Objective) -> float:
    """What turns a value into a cost, and back."""
    return 1.0 if objective.direction is Direction.MINIMIZE else -1.0


def noise(values: Sequence[float]) -> float:
    """The standard deviation of what scatters about a smooth course; 0 of fewer than 4 values.

    From third differences: they are zero where a course is straight or bends evenly, as at a
    turning point.
    """
    rest = [
        abs(third - 3.0 * second + 3.0 * first - before)
        for before, first, second, third in zip(
            values, values[1:], values[2:], values[3:], strict=False
        )
    ]
    if not all(map(math.isfinite, rest)):
        return math.inf  # of values near the largest number there is nothing can be said
    return median(rest) / (_NORMAL_MEDIAN * math.sqrt(20.0)) if rest else 0.0


def deviation(differences: Sequence[float]) -> float:
    """The standard deviation of differences from a median, whatever a few of them are."""
    return median(map(abs, differences)) / _NORMAL_MEDIAN


def error_of_median(deviation: float, count: int) -> float:
    """The standard error of the median of `count` values with this noise."""
    return _MEDIAN_ERROR * deviation / math.sqrt(count)


def depth_of_best(deviation: float, count: int) -> float:
    """How far the best of `count` values lies below the others by noise alone, about."""
    return deviation * math.sqrt(2.0 * math.log(max(count, 2)))
