"""The best configurations run again with several seeds, and the winner once on held-out data.

The best of many trials is partly lucky. So the leaders of the search are trained again with other
seeds and ranked by what those runs show alone; what the search saw of them has chosen them and
does not count again. Only the winner is shown the held-out data, once.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean, median, stdev

from kubetune.domain import course, ranking
from kubetune.domain.coordinates import Coordinates
from kubetune.domain.expressions import Undefined
from kubetune.domain.study import Direction, RankBy, StudySpec
from kubetune.domain.trial import Stage, Trial, TrialState
from kubetune.domain.values import Assignment, Value

_STUDENT = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160,
    2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056,
    2.052, 2.048, 2.045, 2.042,
)  # fmt: skip
"""The 0.975 quantile of Student's t with 1, 2, ... degrees of freedom."""

_NORMAL = 1.96


@dataclass(frozen=True, slots=True)
class Repeat:
    """A run that is to be made: the trial it repeats, its stage and its seed."""

    of: int
    stage: Stage
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finalist:
    """What the runs of one configuration showed.

    `trial` is the trial of the search, `values` the objective of its complete runs, `failed` how
    many others there were. `score` is what it is ranked by, None without a complete run.
    `low` and `high` bound the mean's 95 % interval (Student's t), None with fewer than two values.
    """

    trial: Trial
    values: tuple[float, ...] = ()
    failed: int = 0
    running: int = 0
    score: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finals:
    """How the finals stand: finalists in order, the winner once all have run, the held-out run."""

    finalists: tuple[Finalist, ...] = ()
    missing: tuple[Repeat, ...] = ()
    winner: Finalist | None = None
    held_out: Trial | None = None

    @property
    def over(self) -> bool:
        """Whether nothing is left to run."""
        running = any(each.running for each in self.finalists)
        return not (self.missing or running or (self.held_out and not self.held_out.state.ended))


def finals(spec: StudySpec, trials: Sequence[Trial]) -> Finals:
    """Where the finals of a study stand whose search is over; nothing without `finalists`."""
    wanted = spec.finalists
    if wanted is None:
        return Finals()
    runs = _runs(trials)
    leaders = candidates(spec, trials)
    missing = tuple(
        Repeat(leader.number, Stage.FINALIST, seed)
        for leader in leaders
        for seed in wanted.seeds
        if (leader.number, Stage.FINALIST, seed) not in runs
    )
    found = tuple(
        sorted((_finalist(spec, one, runs) for one in leaders), key=partial(_order, spec))
    )
    if missing or any(each.running for each in found):
        return Finals(finalists=found, missing=missing)
    winner = next((each for each in found if each.score is not None), None)
    if winner is None or wanted.held_out_metric is None:
        return Finals(finalists=found, winner=winner)
    key = winner.trial.number, Stage.HELD_OUT, wanted.seeds[0]
    held_out = runs.get(key)
    missing = () if held_out else (Repeat(*key),)
    return Finals(finalists=found, missing=missing, winner=winner, held_out=held_out)


def candidates(spec: StudySpec, trials: Iterable[Trial]) -> tuple[Trial, ...]:
    """The leaders of the search that may be run again: their values break no constraint then."""
    assert spec.finalists
    complete = tuple(course.search(trials))
    leaders = ranking.leaders(spec, complete, len(complete))
    free = (leader for leader in leaders if not _broken(spec, leader))
    return tuple(leader for leader, _ in zip(free, range(spec.finalists.top), strict=False))


def parameters(spec: StudySpec, trial: Trial) -> Assignment:
    """What a finalist runs with: its values, those of `finalists.fixed`, derived ones anew."""
    assert spec.finalists
    values: dict[str, Value] = {**trial.parameters, **spec.finalists.fixed}
    for derived in spec.phase(trial.phase).space.derived:
        if derived.name in spec.finalists.fixed:
            continue
        try:
            values[derived.name] = derived.value.evaluate(values)
        except Undefined:
            values.pop(derived.name, None)
    return values


def _broken(spec: StudySpec, trial: Trial) -> bool:
    if not spec.finalists or not spec.finalists.fixed:
        return False
    space = spec.phase(trial.phase).space
    return bool(Coordinates(space).broken(parameters(spec, trial)))


def _runs(trials: Iterable[Trial]) -> dict[tuple[int, Stage, int], Trial]:
    return {
        (trial.repeats, trial.stage, trial.seed): trial
        for trial in trials
        if trial.repeats is not None
    }


def _finalist(
    spec: StudySpec, trial: Trial, runs: Mapping[tuple[int, Stage, int], Trial]
) -> Finalist:
    assert spec.finalists
    keys = ((trial.number, Stage.FINALIST, seed) for seed in spec.finalists.seeds)
    mine = [runs[key] for key in keys if key in runs]
    values = tuple(
        run.value for run in mine if run.state is TrialState.COMPLETE and run.value is not None
    )
    low, high = _interval(values)
    return Finalist(
        trial=trial,
        values=values,
        failed=sum(run.state.ended and run.state is not TrialState.COMPLETE for run in mine),
        running=sum(not run.state.ended for run in mine),
        score=_score(spec, values) if values else None,
        low=low,
        high=high,
    )


def _score(spec: StudySpec, values: Sequence[float]) -> float:
    assert spec.finalists
    match spec.finalists.rank_by:
        case RankBy.MEAN:
            return fmean(values)
        case RankBy.MEDIAN:
            return median(values)
        case RankBy.WORST:
            return max(values) if _minimises(spec) else min(values)


def _interval(values: Sequence[float]) -> tuple[float, float] | tuple[None, None]:
    if len(values) < 2:  # noqa: PLR2004 - a spread takes two
        return None, None
    freedom = len(values) - 1
    quantile = _STUDENT[freedom - 1] if freedom <= len(_STUDENT) else _NORMAL
    half = quantile * stdev(values) / math.sqrt(len(values))
    return fmean(values) - half, fmean(values) + half


def _minimises(spec: StudySpec) -> bool:
    return spec.objective.direction is Direction.MINIMIZE


def _order(spec: StudySpec, finalist: Finalist) -> tuple[bool, bool, float]:
    """Those whose runs all succeeded first, by score; ties stay as the search had them."""
    if finalist.score is None:
        return True, True, 0.0
    return False, finalist.failed > 0, finalist.score if _minimises(spec) else -finalist.score
