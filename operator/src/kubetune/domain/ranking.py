"""Which trials of the search are best: only feasible, complete ones count.

Ties go to the lower number. Runs of finalists rank configurations, not trials: `finalists`.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from heapq import nsmallest

from kubetune.domain.limits import LIST_LIMIT
from kubetune.domain.study import Direction, StudySpec
from kubetune.domain.trial import Stage, Trial, TrialState


class Standing(StrEnum):
    """How a finished trial compares with those before it and with the baseline."""

    BEST = "BEST"
    IMPROVED = "IMPROVED"
    WORSE = "WORSE"
    NONE = ""


def best(spec: StudySpec, trials: Iterable[Trial]) -> Trial | None:
    """The trial with the best value of the one objective; None with several objectives."""
    if len(spec.objectives) > 1:
        return None
    sign = 1.0 if spec.objective.direction is Direction.MINIMIZE else -1.0
    return min(
        _rankable(spec, trials),
        key=lambda trial: (sign * (trial.value or 0.0), trial.number),
        default=None,
    )


def leaders(spec: StudySpec, trials: Iterable[Trial], count: int) -> tuple[Trial, ...]:
    """The best `count` trials, best first; with several objectives, of the Pareto front."""
    if len(spec.objectives) > 1:
        return pareto_front(spec, trials, count)
    sign = 1.0 if spec.objective.direction is Direction.MINIMIZE else -1.0
    found = _rankable(spec, trials)
    ranked = nsmallest(count, found, key=lambda trial: (sign * (trial.value or 0.0), trial.number))
    return tuple(ranked)


def pareto_front(
    spec: StudySpec, trials: Iterable[Trial], limit: int | None = LIST_LIMIT
) -> tuple[Trial, ...]:
    """The trials that no other one beats in every objective, first objective's best first.

    At most `limit`, None for all; of a larger front the trials with the most room around them are
    kept (crowding distance of NSGA-II, Deb et al. 2002), its ends always. Empty with one objective.
    """
    if len(spec.objectives) == 1:
        return ()
    ranked = sorted((_cost(spec, trial), trial.number, trial) for trial in _rankable(spec, trials))
    front: list[tuple[tuple[float, ...], int, Trial]] = []
    for entry in ranked:  # in this order, no entry is beaten by a later one
        if not any(_dominates(kept[0], entry[0]) for kept in reversed(front)):
            front.append(entry)
    if limit is not None and len(front) > limit:
        room = _crowding([cost for cost, _, _ in front])
        roomiest = sorted(range(len(front)), key=lambda index: (-room[index], front[index][1]))
        front = [front[index] for index in sorted(roomiest[:limit])]
    return tuple(trial for _, _, trial in front)


def improvement(spec: StudySpec, value: float, baseline: float) -> float:
    """How much better than the baseline, as a share of its size; negative when worse.

    A baseline of 0 has no size: then the difference itself.
    """
    maximises = spec.objective.direction is Direction.MAXIMIZE
    gain = value - baseline if maximises else baseline - value
    return gain / abs(baseline) if baseline else gain


def standing(spec: StudySpec, trial: Trial, trials_before: Sequence[Trial]) -> Standing:
    """BEST: better than all before. Else IMPROVED or WORSE than the baseline, or NONE.

    NONE also for a trial that is not complete, equals the baseline, or has several objectives.
    """
    if len(spec.objectives) > 1 or not any(_rankable(spec, (trial,))) or trial.value is None:
        return Standing.NONE
    better = spec.objective.direction.better
    leader = best(spec, trials_before)
    if leader is None or leader.value is None or better(trial.value, leader.value):
        return Standing.BEST
    baseline = next((other.value for other in trials_before if other.baseline), None)
    if baseline is None or baseline == trial.value:
        return Standing.NONE
    return Standing.IMPROVED if better(trial.value, baseline) else Standing.WORSE


def _rankable(spec: StudySpec, trials: Iterable[Trial]) -> Iterable[Trial]:
    for trial in trials:
        if (
            trial.state is TrialState.COMPLETE
            and trial.stage is Stage.SEARCH
            and trial.outcome
            and len(trial.outcome.values) == len(spec.objectives)
        ):
            yield trial


def _cost(spec: StudySpec, trial: Trial) -> tuple[float, ...]:
    """The values turned so that less is better."""
    assert trial.outcome
    return tuple(
        value if objective.direction is Direction.MINIMIZE else -value
        for objective, value in zip(spec.objectives, trial.outcome.values, strict=True)
    )


def _dominates(left: tuple[float, ...], right: tuple[float, ...]) -> bool:
    return left != right and all(a <= b for a, b in zip(left, right, strict=True))


def _crowding(costs: Sequence[tuple[float, ...]]) -> list[float]:
    """Each entry's crowding distance: infinite at both ends of every objective."""
    room = [0.0] * len(costs)
    for axis in range(len(costs[0])):
        order = sorted(range(len(costs)), key=lambda index: costs[index][axis])
        width = costs[order[-1]][axis] - costs[order[0]][axis]
        room[order[0]] = room[order[-1]] = float("inf")
        for before, index, after in zip(order, order[1:], order[2:], strict=False):
            room[index] += (costs[after][axis] - costs[before][axis]) / width if width else 0.0
    return room
