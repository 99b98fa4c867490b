"""What a learning-rate range test says (Smith 2017): pure functions over its curve."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SMOOTHING = 0.9
DIVERGED = 4.0
"""Times the smallest smoothed loss: higher, and nothing more is to be learned."""

SKIPPED_SHARE = 0.1
"""Of the curve's beginning, where the smoothing has not yet settled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Learning rates.

    `steepest`: where the loss falls fastest over the logarithm of the rate. `last_stable`: the
    highest one before the loss rises for good. `low` and `high`: a range to search in.
    """

    steepest: float
    last_stable: float
    low: float
    high: float


def grown(first: float, last: float, steps: int) -> list[float]:
    """So many rates from the first to the last, each the same multiple of the one before."""
    found: list[float] = np.geomspace(first, last, steps).tolist()
    return found


def smoothed(losses: Sequence[float]) -> NDArray[np.float64]:
    """The exponential mean of the losses so far, corrected for its beginning at 0."""
    mean, found = 0.0, []
    for count, loss in enumerate(losses, start=1):
        mean = SMOOTHING * mean + (1 - SMOOTHING) * loss
        found.append(mean / (1 - SMOOTHING**count))
    return np.array(found)


def diverged(losses: Sequence[float]) -> bool:
    """Whether the test may end: the loss is no number, or far above its best."""
    if not losses or not math.isfinite(losses[-1]):
        return bool(losses)
    curve = smoothed(losses)
    return bool(curve[-1] > DIVERGED * curve.min())


def suggest(rates: Sequence[float], losses: Sequence[float]) -> Suggestion | None:
    """Reads the curve of a test; None when the loss never fell.

    The range is from a tenth of the steepest rate to half of the last stable one: the best rate
    of a whole training lies below what a hundred steps survive.
    """
    finite = next((i for i, loss in enumerate(losses) if not math.isfinite(loss)), len(losses))
    skipped = int(finite * SKIPPED_SHARE)
    curve = smoothed(losses[:finite])[skipped:]
    logs = np.log(np.array(rates[:finite]))[skipped:]
    if len(curve) < 3:  # noqa: PLR2004 - a slope needs points on both sides
        return None
    lowest = int(curve.argmin())
    if lowest == 0:
        return None
    slopes = np.gradient(curve, logs)[: lowest + 1]
    steepest = float(np.exp(logs[int(slopes.argmin())]))
    stable = float(np.exp(logs[lowest]))
    high = stable / 2
    return Suggestion(
        steepest=steepest, last_stable=stable, low=min(steepest, high) / 10, high=high
    )
