"""Guards: the study's rules on every report, and the one that needs no rule: finite objectives."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import Guard, StudySpec
from kubetune.domain.trial import Point, Trial, TrialState
from kubetune.domain.values import Metrics
from kubetune.domain.verdict import Verdict

_TIMES = frozenset({"elapsedSeconds", "progress"})
"""What is known of the present alone, not of when a point was reported."""


def check(
    spec: StudySpec,
    trial: Trial,
    points: Sequence[Point],
    *,
    best: Metrics,
    elapsed_seconds: float,
    progress: float,
    at_once: bool = False,
) -> Verdict | None:
    """The verdict of the first new point that breaks a rule, and of the first rule it breaks.

    `points` are new, in order of steps; `trial.curve` holds those before. `best` are the metrics
    of the study's best trial, empty without one. At each point the objectives are looked at
    first: a non-finite one ends the trial as Diverged whatever the guards say. A guard on
    something not reported does not hold. `previous` has what each metric was when it was last
    reported before the point.

    `at_once`: the points came together, after their trial's end. A guard on time or progress is
    then checked at the last one alone.
    """
    previous = _newest(spec, trial, points[0].step) if points else {}
    for point in points:
        if verdict := check_finite(spec, point):
            return verdict
        values: dict[str, Any] = {
            **trial.parameters,
            "metrics": point.metrics,
            "previous": previous,
            "best": best,
            "step": point.step,
            "progress": progress,
            "elapsedSeconds": elapsed_seconds,
        }
        for guard in spec.guards:
            if at_once and point is not points[-1] and guard.when.names & _TIMES:
                continue
            if guard.when.holds(values):
                return _tripped(guard, values)
        previous |= point.metrics
    return None


def _newest(spec: StudySpec, trial: Trial, step: float) -> dict[str, float]:
    """The last value before a step of each metric that a guard compares with the one before.

    Not those of the last point alone: between two evaluations a trial reports its training.
    """
    wanted = {key for guard in spec.guards for name, key in guard.when.fields if name == "previous"}
    found: dict[str, float] = {}
    for past in reversed(trial.curve):
        if found.keys() >= wanted:
            break
        if past.step < step:
            found |= {key: past.metrics[key] for key in wanted - found.keys() & past.metrics.keys()}
    return found


def check_finite(spec: StudySpec, point: Point) -> Verdict | None:
    """Failed, reason Diverged, when an objective is NaN or infinite at this point."""
    for objective in spec.objectives:
        value = point.metrics.get(objective.metric, 0.0)
        if not math.isfinite(value):
            message = f"{objective.metric} is {value} at step {point.step:.6g}"
            return Verdict(TrialState.FAILED, TrialReason.DIVERGED, message)
    return None


def _tripped(guard: Guard, values: Mapping[str, Any]) -> Verdict:
    figures = [f"step = {values['step']:.6g}"]
    for name, key in sorted(guard.when.fields):
        if key in values[name]:
            figures.append(f"{name}.{key} = {values[name][key]:.6g}")
    for name in sorted(guard.when.names - {"metrics", "previous", "best", "step"}):
        if name in values:
            value = values[name]
            figures.append(
                f"{name} = {value:.6g}" if isinstance(value, float) else f"{name} = {value}"
            )
    text = f": {guard.message}" if guard.message else ""
    return Verdict(
        TrialState(guard.outcome.value),
        TrialReason.GUARD_TRIPPED,
        f"guard '{guard.name}'{text} ({', '.join(figures)})",
    )
