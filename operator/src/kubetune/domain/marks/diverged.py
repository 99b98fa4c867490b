"""Diverged: the loss or an objective left for good."""

import math
from dataclasses import dataclass
from statistics import median

from kubetune.domain.curves import Curve, objective_curve
from kubetune.domain.marks import limits, series
from kubetune.domain.marks.mark import Mark, Marked
from kubetune.domain.marks.peers import Starts
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Trial


def diverged(spec: StudySpec, trial: Trial) -> Marked | None:
    """A curve that is not finite any more, the engine's own verdict, or a loss that went away."""
    for objective in spec.objectives:
        if found := _not_finite(trial, objective.metric, at_end=1):
            return found
    if trial.outcome and trial.outcome.reason is TrialReason.DIVERGED:
        step = trial.curve[-1].step if trial.curve else None
        return Marked(Mark.DIVERGED, step, trial.outcome.message)
    name, losses = series.first_of(trial, series.TRAINING_LOSSES)
    valued = bool(trial.outcome and trial.outcome.values)
    if found := _not_finite(trial, name, at_end=limits.NON_FINITE if valued else 1):
        return found
    return _went_away(name, series.finite(losses))


def _not_finite(trial: Trial, metric: str, *, at_end: int) -> Marked | None:
    step = series.not_finite_since(objective_curve(trial, metric), at_end=at_end)
    if step is None:
        return None
    return Marked(Mark.DIVERGED, step, f"{metric} is not finite from step {step:.6g} on")


def above_peers(trial: Trial, starts: Starts) -> Marked | None:
    """A loss that was far above where finished trials begin, and ends above it still.

    A rate that ruins the first steps already leaves no start of its own to compare with.
    """
    name, losses = series.first_of(trial, series.TRAINING_LOSSES)
    start, shape = starts.usual(name, but=trial.number), _shape(series.finite(losses))
    if start is None or shape is None or start <= 0.0:
        return None
    if not shape.ends_above(start) or shape.worst < limits.TIMES * start:
        return None
    message = (
        f"{name} went up to {shape.worst:.6g} and ended at {shape.end:.6g};"
        f" finished trials began at {start:.6g}"
    )
    return Marked(Mark.DIVERGED, shape.worst_step, message)


@dataclass(frozen=True, slots=True)
class _Shape:
    """A loss: where it began, ended, was best and worst.

    `error` is the standard error of the end against a start, as a share of either: losses scatter
    by their size.
    """

    start: float
    end: float
    best: float
    worst: float
    worst_step: float
    error: float

    def ends_above(self, start: float) -> bool:
        """By more than noise."""
        return math.log(self.end) - math.log(start) > limits.SIGMAS * self.error


def _shape(losses: Curve) -> _Shape | None:
    """Everything by medians of a few values; None of too few, or when not all are above zero."""
    values = [value for _, value in losses]
    if len(values) < limits.POINTS or min(values) <= 0.0:
        return None
    tail = max(limits.START, int(len(values) * limits.TAIL_SHARE))
    smooth = [
        median(values[index : index + limits.START])
        for index in range(len(values) - limits.START + 1)
    ]
    worst = max(range(len(smooth)), key=lambda index: smooth[index])
    scatter = series.noise([math.log(value) for value in values])
    return _Shape(
        start=smooth[0],
        end=median(values[-tail:]),
        best=min(smooth),
        worst=smooth[worst],
        worst_step=losses[worst + limits.START // 2][0],
        error=math.hypot(
            series.error_of_median(scatter, limits.START), series.error_of_median(scatter, tail)
        ),
    )


def _went_away(name: str, losses: Curve) -> Marked | None:
    """A loss that ends above where it began, and was far above, or far above its own best."""
    shape = _shape(losses)
    if shape is None or not shape.ends_above(shape.start):
        return None
    if shape.worst < limits.AWAY * shape.start and shape.end < limits.TIMES * shape.best:
        return None
    message = (
        f"{name} began at {shape.start:.6g}, went up to {shape.worst:.6g}"
        f" and ended at {shape.end:.6g}"
    )
    return Marked(Mark.DIVERGED, shape.worst_step, message)
