"""Median and percentile rules (Golovin et al., Vizier, KDD 2017), decisions as Optuna's.

A trial is cut when its best value so far is worse than the percentile of what complete trials
stood at when they were at the same step. Beyond Optuna, which counts only peers that reported at
exactly this step, a peer counts with its last report at or before it, if it ran on past it: live
curves are sampled and seldom share all their steps.
"""

import math
from collections.abc import Sequence

from kubetune.domain import curves
from kubetune.domain.study import Direction, StudySpec
from kubetune.domain.trial import Trial, TrialState


def median(spec: StudySpec, trial: Trial, peers: Sequence[Trial]) -> str | None:
    """Cuts a trial whose best is worse than the median."""
    return _cut(spec, trial, peers, share=50.0, label="median")


def percentile(spec: StudySpec, trial: Trial, peers: Sequence[Trial]) -> str | None:
    """Cuts a trial whose best is not within the best `percentile` per cent."""
    share = spec.pruner.percentile
    return _cut(spec, trial, peers, share=share, label=f"best {share:.6g}%")


def _cut(
    spec: StudySpec, trial: Trial, peers: Sequence[Trial], *, share: float, label: str
) -> str | None:
    objective, direction = spec.objective, spec.objective.direction
    complete = [peer for peer in peers if peer.state is TrialState.COMPLETE]
    curve = curves.objective_curve(trial, objective.metric)
    if not complete or len(complete) < spec.pruner.startup_trials or not curve:
        return None
    step = curve[-1][0]
    if step < spec.pruner.warmup_steps:
        return None
    own = [value for _, value in curve if math.isfinite(value)]
    if not own:
        return f"no finite value up to step {step:.6g}"
    at_step = (curves.value_during(peer.curve, objective.metric, step) for peer in complete)
    others = [value for value in at_step if value is not None and math.isfinite(value)]
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


def quantile(values: Sequence[float], percent: float) -> float:
    """The percentile with linear interpolation between neighbours; at least one value."""
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100.0
    low = min(max(math.floor(place), 0), len(ordered) - 1)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
