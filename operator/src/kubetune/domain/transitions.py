"""How a trial's record changes: pure steps that every store shares. None of them repeats harm."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import Outcome, Point, Trial, TrialState
from kubetune.domain.values import Assignment, Metrics

VALUED = frozenset({TrialState.COMPLETE, TrialState.INFEASIBLE})
"""States that carry a value for each objective."""


def new_points(trial: Trial, points: Sequence[Point]) -> tuple[Point, ...]:
    """The points that say something new of a trial; none once it ended.

    A value that a step has stays; a metric that comes later to its step joins it.
    """
    if trial.state.ended:
        return ()
    fresh: dict[float, Point] = {}
    for point in points:
        had = fresh[point.step].metrics if point.step in fresh else _known(trial.curve, point.step)
        if not point.metrics.keys() <= had.keys():
            fresh[point.step] = Point(point.step, {**point.metrics, **had})
    return tuple(fresh.values())


def _known(curve: Sequence[Point], step: float) -> Metrics:
    """What a curve has at a step; long curves are looked into, not read."""
    if not curve or step > curve[-1].step:
        return {}
    index = bisect_left(curve, step, key=lambda point: point.step)
    return curve[index].metrics if index < len(curve) and curve[index].step == step else {}


def extended(trial: Trial, points: Sequence[Point]) -> Trial:
    """The trial with new points, in order of steps."""
    steps = [point.step for point in (*trial.curve[-1:], *points)]
    if all(before < after for before, after in pairwise(steps)):
        return replace(trial, curve=(*trial.curve, *points))
    return replace(trial, curve=joined((*trial.curve, *points)))


def joined(points: Sequence[Point]) -> tuple[Point, ...]:
    """One point a step, in order of steps; of two values of a metric the first one counts."""
    steps: dict[float, Point] = {}
    for point in points:
        had = steps.get(point.step)
        metrics = {**point.metrics, **had.metrics} if had else point.metrics
        steps[point.step] = Point(point.step, metrics)
    return tuple(steps[step] for step in sorted(steps))


def started(trial: Trial, at: float) -> Trial:
    """The trial with the time of its first start; unchanged when it has one or ended."""
    if trial.state.ended or trial.started_at is not None:
        return trial
    return replace(trial, started_at=at)


def retried(trial: Trial, attempt: int, reason: str, parameters: Assignment) -> Trial:
    """The trial at its next attempt; unchanged when it is there, beyond, or ended.

    Disruptions and out-of-memory are counted, a suspension is not. With other parameters its
    curve begins anew: what it reported before was another configuration.
    """
    if trial.state.ended or attempt <= trial.attempt:
        return trial
    changed = any(trial.parameters.get(name) != value for name, value in parameters.items())
    return replace(
        trial,
        curve=() if changed else trial.curve,
        attempt=attempt,
        disruptions=trial.disruptions + (reason == TrialReason.DISRUPTED),
        out_of_memory=trial.out_of_memory + (reason == TrialReason.OUT_OF_MEMORY),
        parameters={**trial.parameters, **parameters},
    )


def ended(trial: Trial, outcome: Outcome, started_at: float | None, ended_at: float) -> Trial:
    """The trial with its end."""
    return replace(
        trial,
        state=outcome.state,
        outcome=outcome,
        started_at=trial.started_at if started_at is None else started_at,
        ended_at=ended_at,
    )


def check_outcome(outcome: Outcome, objectives: int) -> None:
    """Refuses an outcome that no sampler could learn from.

    Raises:
        ValueError: the state is no end; the values are not one finite number an objective (for
            Complete and Infeasible) or are there at all (otherwise); a constraint is NaN.
    """
    if not outcome.state.ended:
        raise ValueError(f"outcome.state is {outcome.state.value}: tell an ended state")
    expected = objectives if outcome.state in VALUED else 0
    if len(outcome.values) != expected:
        raise ValueError(
            f"outcome.values has {len(outcome.values)} numbers: a {outcome.state.value} trial of "
            f"{objectives} objective(s) carries {expected}"
        )
    for value in outcome.values:
        if not math.isfinite(value):
            raise ValueError(f"outcome.values has {value}: tell Failed with reason Diverged")
    if any(math.isnan(amount) for amount in outcome.constraints):
        raise ValueError("outcome.constraints has NaN: leave them empty when nothing was measured")
