"""Successive halving on rungs: ASHA (Li et al., MLSys 2020) and Hyperband's brackets (JMLR 2018).

Rungs lie at `min_resource * reduction_factor ** k` steps, below `max_resource`. A trial stands at
the highest rung that it has reached, with the value of its first report there, and goes on only
while that value is within the best 1/`reduction_factor` of all values seen at the rung; of fewer
than two times the factor, only the best one goes on.

Optuna's pruner decides the same once, when a trial arrives at a rung, and writes rungs into the
storage. Here the rung is derived from curves at every pass, so a trial is also cut when later
arrivals push it out of the best share before it reaches the next rung, as the set of promotable
trials in the paper shrinks. When trials run one after the other, the decisions are the same.
"""

import math
import zlib
from collections.abc import Callable, Sequence

from kubetune.domain import curves
from kubetune.domain.pruners.field import Field
from kubetune.domain.study import Direction, Pruner, StudySpec
from kubetune.domain.trial import Trial

_HAIR = 1e-9
"""Steps such as 0.7 + 0.1 miss a rung at 0.8 by rounding, not by distance; relative."""


def asha(spec: StudySpec, trial: Trial, field: Field) -> str | None:
    """One bracket: every trial starts at the lowest rung."""
    return _halve(spec, trial, field)


def hyperband(spec: StudySpec, trial: Trial, field: Field) -> str | None:
    """Several brackets: bracket n leaves out the n lowest rungs and compares only its own trials.

    Which bracket is a function of study name and trial number, by the same hash and the same
    shares as in Optuna.
    """
    budgets = brackets(spec.pruner)

    def bracket(number: int) -> int:
        return bracket_of(spec.name, number, budgets)

    return _halve(spec, trial, field, bracket)


def brackets(pruner: Pruner) -> tuple[int, ...]:
    """The share of trials of each bracket; a single one without `max_resource`."""
    if pruner.max_resource is None:
        return (1,)
    count = len(rung_steps(pruner, pruner.max_resource))
    factor = pruner.reduction_factor
    return tuple(math.ceil(count * factor**s / (s + 1)) for s in range(count - 1, -1, -1))


def bracket_of(study_name: str, number: int, budgets: Sequence[int]) -> int:
    """The bracket of a trial; stable over restarts."""
    place = zlib.crc32(f"{study_name}_{number}".encode()) % sum(budgets)
    for bracket, budget in enumerate(budgets):
        place -= budget
        if place < 0:
            return bracket
    raise AssertionError("the shares add up to the divisor")


def rung_steps(pruner: Pruner, until: float) -> list[float]:
    """The rungs at or below `until`, ascending; a hair above it counts as reached."""
    steps: list[float] = []
    factor = max(pruner.reduction_factor, 2)
    while 0 < (step := pruner.min_resource * factor ** len(steps)) <= until * (1.0 + _HAIR):
        steps.append(step)
    return steps


def _halve(
    spec: StudySpec, trial: Trial, field: Field, bracket: Callable[[int], int] | None = None
) -> str | None:
    skipped = bracket(trial.number) if bracket else 0
    objective, direction = spec.objective, spec.objective.direction
    curve = curves.objective_curve(trial, objective.metric)
    reached = rung_steps(spec.pruner, curve[-1][0])[skipped:] if curve else []
    if not reached:
        return None
    rung = reached[-1]
    least = rung * (1.0 - _HAIR)
    own = curves.value_at(trial.curve, objective, least)
    if own is None:
        return None
    if not math.isfinite(own):
        return f"value {own} at step {rung:.6g} is not a number to compare"
    seen = field.ranked_at(least, skipped, bracket)
    keep = max(1, len(seen) // spec.pruner.reduction_factor)
    limit = seen[keep - 1]
    if not direction.better(limit, own):
        return None
    sign = "<=" if direction is Direction.MINIMIZE else ">="
    return (
        f"value {own:.6g} at step {rung:.6g} is not within the best {keep} of {len(seen)} "
        f"(needs {sign} {limit:.6g})"
    )
