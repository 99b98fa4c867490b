"""Patience: early stopping of one trial by its own curve, as trainers know it."""

import math

from kubetune.domain import curves
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Trial


def patience(spec: StudySpec, trial: Trial) -> str | None:
    """Cuts a trial whose last N values bring no more than `min_delta` over the best before them.

    `min_delta` is the least gain that counts, as in Keras' EarlyStopping: more of it stops
    earlier. (In Optuna's PatientPruner it is a tolerance: more of it stops later.) With a
    `min_delta` of 0 an equal value is no gain.
    """
    patience = spec.pruner.patience
    if patience is None:
        return None
    direction = spec.objective.direction
    curve = curves.objective_curve(trial, spec.objective.metric)
    before = [value for _, value in curve[: -patience.evaluations] if math.isfinite(value)]
    after = [value for _, value in curve[-patience.evaluations :] if math.isfinite(value)]
    if not before or len(curve) <= patience.evaluations:
        return None
    reference = curves.best(before, direction)
    newest = curves.best(after, direction) if after else math.nan
    gain = abs(newest - reference) if direction.better(newest, reference) else 0.0
    if gain > patience.min_delta:
        return None
    return (
        f"the last {patience.evaluations} evaluations gained {gain:.6g} over {reference:.6g} "
        f"(needs more than {patience.min_delta:.6g}) at step {curve[-1][0]:.6g}"
    )
