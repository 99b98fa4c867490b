"""What a learning-rate range test says (Smith 2017): pure functions over its curve."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
from numpy.typing import NDArray

WIDTH = 0.03
"""Of the bell that the curve is smoothed with, as a share of all steps."""

DIVERGED = 4.0
"""Times the best loss: higher, and nothing more is to be learned."""

NOISE = 6.0
"""Times the error of a fall: what falls less has not fallen."""

ALIKE = 2.0
"""Times the error of the smoothed curve: what is higher by less may be as low."""

LEAST_FALL = 1e-3
"""Share of the first loss: as above, for a curve without noise."""

FEWEST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Learning rates.

    `steepest`: where the loss falls fastest over the logarithm of the rate. `last_stable`: the
    highest one before the loss rises for good, as far as noise lets that be seen. `low` and `high`:
    a range to search in.
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
    """Each loss with its neighbours on both sides, so that nothing is shifted to higher rates.

    Of three the middle one counts, so that a single bad step leaves no trace, and it counts as at
    most `DIVERGED` times the first ones: else what has exploded would hide what was before it.
    """
    if len(losses) < FEWEST:
        return np.array(losses, dtype=np.float64)
    limit = DIVERGED * abs(median(losses[:FEWEST]))
    curve = np.minimum(np.array(losses, dtype=np.float64), limit)
    threes = np.lib.stride_tricks.sliding_window_view(curve, 3)
    curve = np.median(np.concatenate((threes[:1], threes, threes[-1:])), axis=1)
    at = np.arange(len(curve))
    weights = np.exp(-(((at[:, None] - at[None, :]) / _width(len(curve))) ** 2) / 2)
    found: NDArray[np.float64] = (weights @ curve) / weights.sum(axis=1)
    return found


def diverged(losses: Sequence[float]) -> bool:
    """Whether the test may end: the loss is no number, or stays far above its best and its first.

    A single step may be bad by chance, so the middle one of three counts.
    """
    if losses and not math.isfinite(losses[-1]):
        return True
    if len(losses) < 2 * FEWEST:
        return False
    best = min(median(losses[at : at + 3]) for at in range(len(losses) - 3))
    return median(losses[-3:]) > max(DIVERGED * best, *losses[:FEWEST])


def suggest(rates: Sequence[float], losses: Sequence[float]) -> Suggestion | None:
    """Reads the curve of a test; None when the loss never fell by more than its noise.

    The range is from a tenth of the steepest rate to half of the last stable one: the best rate
    of a whole training lies below what a hundred steps survive. It lies within what was tried.
    """
    finite = next((i for i, loss in enumerate(losses) if not math.isfinite(loss)), len(losses))
    if finite < FEWEST:
        return None
    curve, logs = smoothed(losses[:finite]), np.log(np.array(rates[:finite]))
    valley = _valley(curve, np.abs(np.array(losses[:finite]) - curve))
    if valley is None:
        return None
    lowest, end = valley
    slopes = np.gradient(curve, logs)[: lowest + 1]
    steepest, stable = float(rates[int(slopes.argmin())]), float(rates[end])
    low = max(min(steepest, stable / 2) / 10, rates[0])
    high = stable / 2 if stable / 2 > low else stable
    return Suggestion(steepest=steepest, last_stable=stable, low=low, high=high)


def _valley(curve: NDArray[np.float64], off: NDArray[np.float64]) -> tuple[int, int] | None:
    """The lowest point, and the last one near it that is as low but for noise; None of noise alone.

    `off` is how far the losses are from the curve. Low rates change little, so there may be less
    noise at first than in the valley.
    """
    lowest, width = int(curve.argmin()), _width(len(curve))
    fall = float(curve[0] - curve[lowest])
    low = curve < curve[0] - fall / 2
    until = lowest + int(np.argmin(np.append(low[lowest:], False)))
    since = lowest - int(np.argmin(np.append(low[lowest::-1], False)))
    reach = max(FEWEST, round(3 * width))
    noise = max(_spread(off), _spread(off[max(0, lowest - reach) : lowest + reach + 1]))
    first = _spread(off[:reach]) ** 2 / (math.sqrt(math.pi) * width)
    error = math.sqrt(first + noise**2 / max(1, until - since - 1))
    if fall <= max(NOISE * error, LEAST_FALL * abs(float(curve[0]))):
        return None
    alike = curve[lowest:until] <= curve[lowest] + ALIKE * noise / math.sqrt(3.5 * width)
    return lowest, lowest + int(np.flatnonzero(alike)[-1])


def _spread(off: NDArray[np.float64]) -> float:
    """The standard deviation of bell-shaped noise of such a middle size."""
    return 1.4826 * float(np.median(off))


def _width(steps: int) -> float:
    """Of the bell, in steps."""
    return max(1.5, WIDTH * steps)
