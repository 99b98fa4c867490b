"""What a study holds just now, and how much of its budgets it has used."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from kubetune.domain import budget, course
from kubetune.domain.runs import Run, RunState
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Trial


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Figures that change with time, for dashboards and alerts; none of them is in the status.

    `gpus` are those that running trials hold, `gpu_hours` those used by all trials until now; both
    are None where trials hold no GPU. `shares` says by budget how much of it is used, 1 is all:
    `trials` always, `gpuHours` and `wallClockSeconds` where they are limited.
    """

    gpus: int | None = None
    gpu_hours: float | None = None
    shares: Mapping[str, float] = field(default_factory=dict)


def usage(
    spec: StudySpec,
    trials: Collection[Trial],
    runs: Iterable[Run],
    now: float,
    *,
    ended: bool,
) -> Usage:
    """What is used until now; of a study that has `ended`, until its last trial did."""
    last = max((trial.ended_at or now for trial in trials), default=now) if ended else now
    hours = budget.gpu_hours(spec, trials, last) if spec.gpus else 0.0
    shares = {"trials": course.counted(trials) / spec.trials.max}
    if spec.budget.gpu_hours is not None:
        shares["gpuHours"] = hours / spec.budget.gpu_hours
    if spec.budget.wall_clock_seconds is not None:
        seconds = budget.wall_clock_seconds(trials, last)
        shares["wallClockSeconds"] = seconds / spec.budget.wall_clock_seconds
    if not spec.gpus:
        return Usage(shares=shares)
    running = sum(run.state is RunState.RUNNING for run in runs)
    held = running * spec.gpus
    return Usage(gpus=held, gpu_hours=hours, shares=shares)
