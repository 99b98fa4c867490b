"""Absolute bounds on the objective, decisions as Optuna's ThresholdPruner."""

import math

from kubetune.domain import curves
from kubetune.domain.pruners.field import Field
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Trial


def threshold(spec: StudySpec, trial: Trial, _field: Field) -> str | None:
    """Cuts a trial whose last value lies outside [lower, upper], from `warmup_steps` on.

    It compares with no other trial, so `startup_trials` does not hold it back.
    """
    pruner = spec.pruner
    curve = curves.objective_curve(trial, spec.objective.metric)
    if not curve or curve[-1][0] < pruner.warmup_steps:
        return None
    step, value = curve[-1]
    at = f"value {value:.6g} at step {step:.6g}"
    if math.isnan(value):
        return f"{at} is not a number to compare"
    if pruner.lower is not None and value < pruner.lower:
        return f"{at} is below {pruner.lower:.6g}"
    if pruner.upper is not None and value > pruner.upper:
        return f"{at} is above {pruner.upper:.6g}"
    return None
