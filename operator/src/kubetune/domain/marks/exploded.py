"""GradientExplosion: norms of the gradient, before clipping, far beyond the usual ones."""

import math
from collections import deque
from collections.abc import Collection
from statistics import median

from kubetune.domain.curves import Curve, objective_curve
from kubetune.domain.marks import limits, series
from kubetune.domain.marks.mark import Mark, Marked
from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import Trial


def exploded(trial: Trial) -> Marked | None:
    """What the trial says itself, what its trainer counted, or what its reported norms show.

    A trainer that counts sees every step; norms in a curve are only some of them.
    """
    if trial.outcome and trial.outcome.reason is TrialReason.GRADIENT_EXPLOSION:
        step = trial.curve[-1].step if trial.curve else None
        return Marked(Mark.GRADIENT_EXPLOSION, step, trial.outcome.message)
    if counted := _counted(trial):
        return counted
    name, norms = series.first_of(trial, series.GRADIENT_NORMS)
    since = series.not_finite_since(norms, at_end=limits.NON_FINITE)
    if since is not None:
        message = f"{name} is not finite from step {since:.6g} on"
        return Marked(Mark.GRADIENT_EXPLOSION, since, message)
    return _reported(name, series.finite(norms))


def _counted(trial: Trial) -> Marked | None:
    """By the trainer's running count, in its curve or in its result."""
    counts = series.finite(objective_curve(trial, series.EXPLOSIONS))
    last = trial.outcome.metrics.get(series.EXPLOSIONS, 0.0) if trial.outcome else 0.0
    most = max((value for _, value in counts), default=0.0)
    total = max(most, last if math.isfinite(last) else 0.0)
    if total < 1:
        return None
    step = next((step for step, value in counts if value >= 1), None)
    times = "1 explosion" if total < 2 else f"{total:.0f} explosions"  # noqa: PLR2004 - plural
    first = "" if step is None else f", the first by step {step:.6g}"
    return Marked(Mark.GRADIENT_EXPLOSION, step, f"the trainer counted {times}{first}")


def _reported(name: str, norms: Curve) -> Marked | None:
    """A huge norm, or a second large one soon after the first.

    Neither counts while it is below what training began with: where nothing is left to learn,
    norms are so small that any hard example is many times the usual.
    """
    recent: deque[float] = deque(maxlen=limits.WINDOW)
    began = median(value for _, value in norms[: limits.NORMS]) if norms else 0.0
    large: tuple[int, float] | None = None
    for index, (step, norm) in enumerate(norms):
        usual = _usual(recent) if norm > began else math.inf
        if norm <= limits.LARGE * usual:
            recent.append(norm)
            continue
        near = large and (index - large[0] == 1 or step - large[1] <= limits.NEAR_STEPS)
        if near or norm > limits.HUGE * usual:
            message = f"{name} is {norm:.6g} at step {step:.6g}, its median before {usual:.6g}"
            return Marked(Mark.GRADIENT_EXPLOSION, step, message)
        large = index, step
    return None


def _usual(recent: Collection[float]) -> float:
    """The median of norms; infinite where there are too few, or nothing but zeros."""
    return (median(recent) if len(recent) >= limits.NORMS else 0.0) or math.inf
