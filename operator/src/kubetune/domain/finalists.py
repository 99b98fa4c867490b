"""The best configurations run again with several seeds, and the winner once on held-out data.

The best of many trials is partly lucky. So the leaders of the search are trained again with other
seeds and ranked by what those runs show alone; what the search saw of them has chosen them and
does not count again. Only the winner is shown the held-out data, once: should a study that was
enlarged have another winner later, they are not opened again.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import fmean, median, stdev

from kubetune.domain import candidates
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import Direction, RankBy, StudySpec
from kubetune.domain.trial import Stage, Trial, TrialState

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
    many others there were, `adjusted` how many went on with other values after an out-of-memory.
    `score` is what it is ranked by, None without a complete run.
    `low` and `high` bound the mean's 95 % interval (Student's t), None with fewer than two values.
    """

    trial: Trial
    values: tuple[float, ...] = ()
    failed: int = 0
    running: int = 0
    adjusted: int = 0
    score: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finals:
    """How the finals stand: finalists in order, the winner once all have run, the held-out run.

    `opened` is the run on held-out data of one who won before, and does not any more.
    `passed_over` are trials that would be finalists, were it not for the constraints that
    `finalists.fixed` makes them break; by number, the best first.
    """

    finalists: tuple[Finalist, ...] = ()
    missing: tuple[Repeat, ...] = ()
    winner: Finalist | None = None
    held_out: Trial | None = None
    opened: Trial | None = None
    passed_over: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether nothing is left to run."""
        running = any(each.running for each in self.finalists)
        shown = (self.held_out, self.opened)
        return not (self.missing or running or any(it and not it.state.ended for it in shown))


def finals(spec: StudySpec, trials: Sequence[Trial]) -> Finals:
    """Where the finals of a study stand whose search is over; nothing without `finalists`."""
    wanted = spec.finalists
    if wanted is None:
        return Finals()
    runs = _runs(trials)
    leaders, passed_over = candidates.leaders(spec, trials)
    missing = tuple(
        Repeat(leader.number, Stage.FINALIST, seed)
        for leader in leaders
        for seed in wanted.seeds
        if (leader.number, Stage.FINALIST, seed) not in runs
    )
    found = tuple(
        sorted((_finalist(spec, one, runs) for one in leaders), key=partial(_order, spec))
    )
    held = Finals(finalists=found, missing=missing, passed_over=passed_over)
    shown = next((run for (_, stage, _), run in runs.items() if stage is Stage.HELD_OUT), None)
    if missing or any(each.running for each in found):
        return replace(held, opened=shown)
    winner = next((each for each in found if each.score is not None), None)
    if shown is not None:
        if winner is not None and shown.repeats == winner.trial.number:
            return replace(held, winner=winner, held_out=shown)
        return replace(held, winner=winner, opened=shown)
    if winner is None or wanted.held_out_metric is None:
        return replace(held, winner=winner)
    key = winner.trial.number, Stage.HELD_OUT, wanted.seeds[0]
    return replace(held, winner=winner, missing=(Repeat(*key),))


def run_of(trials: Iterable[Trial], of: int, stage: Stage, seed: int) -> Trial | None:
    """The run of the finals that there is already; one that was cancelled is made again."""
    return _runs(trials).get((of, stage, seed))


def _runs(trials: Iterable[Trial]) -> dict[tuple[int, Stage, int], Trial]:
    return {
        (trial.repeats, trial.stage, trial.seed): trial
        for trial in trials
        if trial.repeats is not None and not _cancelled(trial)
    }


def _cancelled(trial: Trial) -> bool:
    return trial.outcome is not None and trial.outcome.reason is TrialReason.CANCELLED


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
        adjusted=sum(run.out_of_memory > 0 for run in mine),
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
