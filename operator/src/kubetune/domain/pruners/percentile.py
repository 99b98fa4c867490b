"""Median and percentile rules (Golovin et al., Vizier, KDD 2017), decisions as Optuna's.

A trial is cut when its best value so far is worse than the percentile of what complete trials
stood at when they were at the same step. Beyond Optuna, which counts only peers that reported at
exactly this step, a peer counts with its last report at or before it, if it ran on past it: live
curves are sampled and seldom share all their steps.
"""

import math
from collections.abc import Sequence

from kubetune.domain import curves
from kubetune.domain.pruners.field import Field
from kubetune.domain.study import Direction, StudySpec
from kubetune.domain.trial import Trial


def median(spec: StudySpec, trial: Trial, field: Field) -> str | None:
    """Cuts a trial whose best is worse than the median."""
    return _cut(spec, trial, field, share=50.0, label="median")


def percentile(spec: StudySpec, trial: Trial, field: Field) -> str | None:
    """Cuts a trial whose best is not within the best `percentile` per cent."""
    share = spec.pruner.percentile
    return _cut(spec, trial, field, share=share, label=f"best {share:.6g}%")


def _cut(spec: StudySpec, trial: Trial, field: Field, *, share: float, label: str) -> str | None:
    objective, direction = spec.objective, spec.objective.direction
    complete = len(field.complete)
    curve = curves.objective_curve(trial, objective.metric)
    if not complete or complete < spec.pruner.startup_trials or not curve:
        return None
    step = curve[-1][0]
    if step < spec.pruner.warmup_steps:
        return None
    own = [value for _, value in curve if math.isfinite(value)]
    if not own:
        return f"no finite value up to step {step:.6g}"
    others = field.ordered_during(step)
    if not others:
        return None
    best = curves.best(own, direction)
    limit = quantile(others, share if direction is Direction.MINIMIZE else 100.0 - share)
    if not direction.better(limit, best):
        return None
    return (
        f"best value {best:.6g} up to step {step:.6g} is worse than the {label} "
        f"of {len(others)} complete trials there ({limit:.6g})"
    )


def quantile(ordered: Sequence[float], percent: float) -> float:
    """The percentile of ascending values, interpolated between neighbours; at least one value."""
    place = (len(ordered) - 1) * percent / 100.0
    low = min(max(math.floor(place), 0), len(ordered) - 1)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
