"""What a complete trial is worth: its values, its outcome constraints, its final metrics."""

import math
from collections.abc import Sequence

from kubetune.domain import curves, guards
from kubetune.domain.reasons import TrialReason
from kubetune.domain.result import TrialResult
from kubetune.domain.study import Objective, OutcomeConstraint, StudySpec, Summary
from kubetune.domain.trial import Outcome, Point, Trial, TrialState
from kubetune.domain.values import Metrics

_NAMED = 8


def new_points(spec: StudySpec, trial: Trial, result: TrialResult | None) -> tuple[Point, ...]:
    """The points of the message's curve at whose steps the first objective is not stored yet.

    They hold that objective alone; the one at the result's own step has its metrics too.
    """
    if result is None:
        return ()
    metric = spec.objective.metric
    stored = {point.step for point in trial.curve if metric in point.metrics}
    return tuple(
        Point(step, {**(result.metrics if step == result.step else {}), metric: value})
        for step, value in result.curve
        if step not in stored
    )


def finish(
    spec: StudySpec,
    points: Sequence[Point],
    final: Metrics,
    message: str = "",
) -> Outcome:
    """The outcome of a trial that ran to its end, from its whole curve and final metrics.

    Complete, or Infeasible when a measured value breaks an outcome constraint. Failed as Diverged
    when an objective is not finite anywhere, as MetricsMissing when there is no value of an
    objective or no finite one of an outcome constraint's metric.
    """
    metrics = {**curves.last_metrics(points), **final}
    for point in points:
        if verdict := guards.check_finite(spec, point):
            return Outcome(verdict.state, verdict.reason, verdict.message, metrics=metrics)
    values: list[float] = []
    for objective in spec.objectives:
        value = _value(objective, points, final)
        if value is None:
            text = f"no value of {objective.metric} was reported{_others(metrics)}"
            return _missing(text, metrics)
        if not math.isfinite(value):
            text = f"{objective.metric} is {value} in the result"
            return Outcome(TrialState.FAILED, TrialReason.DIVERGED, text, metrics=metrics)
        values.append(value)
    broken_by: list[float] = []
    for constraint in spec.outcome_constraints:
        measured = metrics.get(constraint.metric, math.nan)
        if not math.isfinite(measured):
            text = f"outcome constraint on {constraint.metric}: no finite value was reported"
            return _missing(text, metrics)
        broken_by.append(_excess(constraint, measured))
    state, reason = TrialState.COMPLETE, TrialReason.NONE
    if any(excess > 0.0 for excess in broken_by):
        state, reason = TrialState.INFEASIBLE, TrialReason.OUTCOME_CONSTRAINT_BROKEN
        message = _broken(spec, metrics, broken_by)
    return Outcome(state, reason, message, tuple(values), tuple(broken_by), metrics)


def _others(metrics: Metrics) -> str:
    """What was reported instead, so that a misspelt name is found."""
    names = sorted(metrics)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return f", only of {', '.join(names[:_NAMED])}{more}" if names else ""


def _missing(message: str, metrics: Metrics) -> Outcome:
    return Outcome(TrialState.FAILED, TrialReason.METRICS_MISSING, message, metrics=metrics)


def _value(objective: Objective, points: Sequence[Point], final: Metrics) -> float | None:
    summary = curves.summarise(curves.objective_curve(points, objective.metric), objective)
    end = final.get(objective.metric)
    if end is None:
        return summary
    if summary is None or objective.summary is Summary.LAST or not math.isfinite(end):
        return end
    return curves.best((summary, end), objective.direction)


def _excess(constraint: OutcomeConstraint, measured: float) -> float:
    """How far the constraint is broken; zero or less when it is kept."""
    above = -math.inf if constraint.max is None else measured - constraint.max
    below = -math.inf if constraint.min is None else constraint.min - measured
    return max(above, below)


def _broken(spec: StudySpec, metrics: Metrics, broken_by: Sequence[float]) -> str:
    sentences = []
    for constraint, excess in zip(spec.outcome_constraints, broken_by, strict=True):
        if excess <= 0.0:
            continue
        measured = metrics[constraint.metric]
        if constraint.max is not None and measured > constraint.max:
            limit = f"above {constraint.max:.6g}"
        else:
            limit = f"below {constraint.min:.6g}"
        sentences.append(f"{constraint.metric} {measured:.6g} is {limit}")
    return "; ".join(sentences)
