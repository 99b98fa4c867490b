"""What a study has used up of its time, and whether another trial could still finish."""

import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from statistics import median

from kubetune.domain.end import End
from kubetune.domain.reasons import StudyReason
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Stage, Trial, TrialState

HOUR = 3600.0

FEWEST = 3
"""So many complete trials tell how long one takes."""

MOST_KEPT = 0.5
"""At most this share of a budget is left for the finals, however many runs they take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Limit:
    """One limit: what is used of it, what it will be when another trial has finished too.

    `kept` is left for the finals. `seconds_left` is when it is reached at the present rate, None
    when never.
    """

    field: str
    unit: str
    limit: float
    used: float
    expected: float
    kept: float
    seconds_left: float | None

    @property
    def fits(self) -> bool:
        return self.used < self.limit and self.expected + self.kept <= self.limit

    @property
    def why(self) -> str:
        """Why no other trial fits, where something is left."""
        if self.used >= self.limit:
            return ""
        short = self.expected > self.limit
        return ", another trial would not finish" if short else ", the rest is for the finals"


def gpu_hours(spec: StudySpec, trials: Collection[Trial], now: float) -> float:
    """Hours over all GPUs: a trial's from its first start to its end, running ones until now.

    The time between two attempts counts as well: what was held then is not known.
    """
    seconds = sum(
        max(0.0, (now if trial.ended_at is None else trial.ended_at) - trial.started_at)
        for trial in trials
        if trial.started_at is not None
    )
    return seconds * spec.gpus / HOUR


def wall_clock_seconds(trials: Collection[Trial], now: float) -> float:
    """Seconds since the study's first trial was made, pauses included."""
    began = min((trial.created_at for trial in trials), default=now)
    return max(0.0, now - began)


def used_up(
    spec: StudySpec, trials: Collection[Trial], now: float, *, more: bool = True, keep: bool = False
) -> End | None:
    """The end by a limit of time, or None.

    At the limit itself trials that run are stopped. Before it no trial is launched that could not
    finish, and once none runs any more the study has ended too: unless no `more` are wanted.
    `keep`: it is the search that is asked about, which leaves time for the finals.
    """
    running = any(
        trial.state is TrialState.RUNNING for trial in trials if not keep or _is_search(trial)
    )
    for item in _limits(spec, trials, now, keep=keep):
        over = item.used >= item.limit
        if over or (more and trials and not running and not item.fits):
            used, limit = _figure(item.used), _figure(item.limit)
            message = f"{used} of {limit} {item.unit} are used{item.why}"
            succeeded = any(trial.state is TrialState.COMPLETE for trial in trials)
            return End(StudyReason.BUDGET_EXHAUSTED, succeeded=succeeded, message=message)
    return None


def fits(spec: StudySpec, trials: Collection[Trial], now: float, *, keep: bool = False) -> bool:
    """Whether another trial, beside those that run, could finish within the limits."""
    return all(item.fits for item in _limits(spec, trials, now, keep=keep))


def seconds_left(spec: StudySpec, trials: Collection[Trial], now: float) -> float | None:
    """Until the first limit is reached by what runs; None without one."""
    waits = [item.seconds_left for item in _limits(spec, trials, now, keep=False)]
    return min((max(0.0, wait) for wait in waits if wait is not None), default=None)


def _limits(
    spec: StudySpec, trials: Collection[Trial], now: float, *, keep: bool
) -> Iterator[_Limit]:
    budget = spec.budget
    if budget.gpu_hours is None and budget.wall_clock_seconds is None:
        return
    usual = _usual_seconds(trials, keep=keep)
    running = sum(trial.state is TrialState.RUNNING for trial in trials)
    final = _finals(spec) if keep else 0
    if budget.gpu_hours is not None:
        used, each = gpu_hours(spec, trials, now), spec.gpus / HOUR
        rate = running * each
        yield _Limit(
            field="gpuHours",
            unit="GPU hours",
            limit=budget.gpu_hours,
            used=used,
            expected=used + (running / 2 + 1) * usual * each,
            kept=min(final * usual * each, MOST_KEPT * budget.gpu_hours),
            seconds_left=(budget.gpu_hours - used) / rate if rate else None,
        )
    if budget.wall_clock_seconds is not None:
        used = wall_clock_seconds(trials, now)
        rounds = math.ceil(final / spec.trials.parallelism)
        yield _Limit(
            field="wallClockSeconds",
            unit="seconds",
            limit=budget.wall_clock_seconds,
            used=used,
            expected=used + usual,
            kept=min(rounds * usual, MOST_KEPT * budget.wall_clock_seconds),
            seconds_left=budget.wall_clock_seconds - used,
        )


def _finals(spec: StudySpec) -> int:
    """How many runs the finals take, the one on held-out data included."""
    wanted = spec.finalists
    if wanted is None:
        return 0
    return wanted.top * len(wanted.seeds) + (wanted.held_out_metric is not None)


def _is_search(trial: Trial) -> bool:
    return trial.stage is Stage.SEARCH


def _usual_seconds(trials: Collection[Trial], *, keep: bool) -> float:
    """How long a complete trial took, the median; 0 until there are enough to tell.

    What the search is to `keep` follows from its own trials: runs of the finals, once they have
    begun, must not open it again.
    """
    lengths = [
        trial.seconds
        for trial in trials
        if trial.state is TrialState.COMPLETE and trial.seconds is not None
        if not keep or _is_search(trial)
    ]
    return median(lengths) if len(lengths) >= FEWEST else 0.0


def _figure(number: float) -> str:
    """Four digits, or all of a large number's."""
    return f"{number:.0f}" if number >= 1000 else f"{number:.4g}"  # noqa: PLR2004 - four digits
