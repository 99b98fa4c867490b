"""Wilcoxon's signed-rank test against the best trial, decisions as Optuna's WilcoxonPruner.

For objectives whose steps are separate evaluations of one configuration (folds, instances,
seeds): the trial is compared with the best one step by step, where both have a value.
"""

import math
from collections.abc import Iterable, Sequence

from kubetune.domain import curves
from kubetune.domain.pruners.field import Field
from kubetune.domain.study import Direction, StudySpec
from kubetune.domain.trial import Trial

EXACT_LIMIT = 50
"""Up to so many pairs the distribution is counted out; beyond, it is nearly normal."""

_LEAST_PAIRS = 2


def wilcoxon(spec: StudySpec, trial: Trial, field: Field) -> str | None:
    """Cuts a trial that is worse than the best one with p below `p_threshold`.

    Needs `startup_trials` complete trials, a step of at least `warmup_steps` and two shared
    steps. Never cuts a trial whose mean is not worse than the best trial's mean, whatever the
    test says, nor compares curves with non-finite values.
    """
    objective, minimise = spec.objective, spec.objective.direction is Direction.MINIMIZE
    best, complete = field.leader, len(field.complete)
    own = dict(curves.objective_curve(trial, objective.metric))
    if best is None or complete < spec.pruner.startup_trials or not own:
        return None
    leader = dict(curves.objective_curve(best, objective.metric))
    if max(own) < spec.pruner.warmup_steps or not leader:
        return None
    if not all(map(math.isfinite, (*own.values(), *leader.values()))):
        return None
    sign = 1.0 if minimise else -1.0
    worse_by = [sign * (own[step] - leader[step]) for step in own if step in leader]
    if len(worse_by) < _LEAST_PAIRS:
        return None
    own_mean, leader_mean = _mean(own.values()), _mean(leader.values())
    if sign * (own_mean - leader_mean) <= 0.0:
        return None
    p = p_value(worse_by)
    if p >= spec.pruner.p_threshold:
        return None
    return (
        f"worse than best trial {best.number} at {len(worse_by)} shared steps "
        f"(p = {p:.3g} < {spec.pruner.p_threshold:.3g}; mean {own_mean:.6g} against "
        f"{leader_mean:.6g})"
    )


def p_value(differences: Sequence[float]) -> float:
    """The one-sided p of "these differences are not above zero"; small: they are.

    Zeros are ranked and split between both sides (Pratt's ranks, scipy's `zsplit`). Exact up to
    `EXACT_LIMIT` differences, ties included; the normal approximation with a correction for ties
    beyond.
    """
    ranks, ties = _ranks([abs(difference) for difference in differences])
    zeros = sum(rank for rank, d in zip(ranks, differences, strict=True) if d == 0.0)
    positive = sum(rank for rank, d in zip(ranks, differences, strict=True) if d > 0.0)
    count = len(ranks)
    if count <= EXACT_LIMIT:
        signed = [round(2 * rank) for rank, d in zip(ranks, differences, strict=True) if d != 0.0]
        return _exact(signed, round(2 * positive))
    mean = count * (count + 1) / 4
    variance = (count * (count + 1) * (2 * count + 1) - ties / 2) / 24
    z = (positive + zeros / 2 - mean) / math.sqrt(variance)
    return math.erfc(z / math.sqrt(2)) / 2


def _exact(doubled_ranks: Sequence[int], observed: int) -> float:
    """How often random signs give a positive sum of `observed` or more. Ranks are doubled."""
    ways = [1]
    for rank in doubled_ranks:
        without = ways + [0] * rank
        added = [0] * rank + ways
        ways = [a + b for a, b in zip(without, added, strict=True)]
    return float(sum(ways[observed:]) / 2 ** len(doubled_ranks))


def _ranks(sizes: Sequence[float]) -> tuple[list[float], float]:
    """Ranks from 1, ties sharing their mean rank; and the sum of t^3 - t over groups of ties."""
    order = sorted(range(len(sizes)), key=sizes.__getitem__)
    ranks, ties, start = [0.0] * len(sizes), 0.0, 0
    while start < len(order):
        end = start
        while end < len(order) and sizes[order[end]] == sizes[order[start]]:
            end += 1
        for index in order[start:end]:
            ranks[index] = (start + 1 + end) / 2
        ties += (end - start) ** 3 - (end - start)
        start = end
    return ranks, ties


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return math.fsum(numbers) / len(numbers)
