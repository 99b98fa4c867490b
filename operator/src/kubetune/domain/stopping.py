"""When a study has ended, as a function of what is known: never stored, so never out of date."""

from collections.abc import Collection

from kubetune.domain import budget, course
from kubetune.domain.course import Place
from kubetune.domain.end import End
from kubetune.domain.reasons import StudyReason, TrialReason
from kubetune.domain.study import InitialTrial, StudySpec
from kubetune.domain.trial import Stage, Trial, TrialState


def decide(
    spec: StudySpec,
    trials: Collection[Trial],
    *,
    best: Trial | None,
    exhausted: Collection[str] = (),
    place: Place | None = None,
    now: float | None = None,
) -> End | None:
    """The search's end, or None while it goes on; `best` is the best of the trials.

    A reached target comes first, then too many failures, then a budget of time: these end the
    search while trials run. Else it ends where the course does, once no initial trial is left.
    `exhausted` names phases whose space holds no further trial. `place` may be given where it is
    known, `now` is needed for a limit of time alone.
    """
    found = place or course.place(spec, trials, exhausted)
    return (
        _target_reached(spec, best)
        or _too_many_failures(spec, trials)
        or (None if now is None else _budget_used_up(spec, trials, found, now))
        or _gate_failed(found)
        or _course_over(spec, trials, found)
    )


def pending_initial(spec: StudySpec, trials: Collection[Trial]) -> tuple[InitialTrial, ...]:
    """The initial trials that are not in the study yet, in the order given."""
    if not spec.initial_trials:
        return ()
    present = {trial.initial for trial in trials if trial.initial}
    return tuple(initial for initial in spec.initial_trials if initial.name not in present)


def failures(trials: Collection[Trial]) -> int:
    """How many trials failed; one that was cancelled with its study, or imported, did not."""
    return sum(
        1
        for trial in trials
        if trial.state is TrialState.FAILED
        and trial.stage is Stage.SEARCH
        and trial.outcome is not None
        and trial.outcome.reason not in {TrialReason.CANCELLED, TrialReason.IMPORTED}
    )


def _target_reached(spec: StudySpec, best: Trial | None) -> End | None:
    objective = spec.objective
    if objective.target is None or len(spec.objectives) > 1:
        return None
    if best is None or best.value is None:
        return None
    if objective.direction.better(objective.target, best.value):
        return None
    return End(
        StudyReason.TARGET_REACHED,
        succeeded=True,
        message=f"trial {best.number} reached {objective.metric} {best.value:.6g}, "
        f"the target is {objective.target:.6g}",
    )


def _too_many_failures(spec: StudySpec, trials: Collection[Trial]) -> End | None:
    limit = spec.trials.max_failed
    if limit is None or (failed := failures(trials)) <= limit:
        return None
    return End(
        StudyReason.TOO_MANY_FAILURES,
        succeeded=False,
        message=f"{failed} trials failed, trials.maxFailed is {limit}",
    )


def _budget_used_up(
    spec: StudySpec, trials: Collection[Trial], place: Place, now: float
) -> End | None:
    """The end by a budget; of a search that is over, as it was when its last trial ended.

    Else a study that has long succeeded would one day be said to have run out of time.
    """
    searched = tuple(course.search(trials))
    if place.phase is not None or not all(trial.state.ended for trial in searched):
        return budget.used_up(spec, trials, now, keep=True)
    last = max((trial.ended_at or 0.0 for trial in searched), default=now)
    return budget.used_up(spec, searched, min(last, now), more=False)


def _gate_failed(place: Place) -> End | None:
    if not place.failed:
        return None
    return End(StudyReason.GATE_FAILED, succeeded=False, message=place.failed)


def _course_over(spec: StudySpec, trials: Collection[Trial], place: Place) -> End | None:
    """The course has no further phase; nothing runs any more, and nothing is to be imported."""
    pending = pending_initial(spec, trials)
    if place.phase is not None or any(initial.metrics is not None for initial in pending):
        return None
    count = course.counted(trials)
    last = place.over[-1] if place.over else None
    if last and last.plateau and count < spec.trials.max:
        reason, message = StudyReason.PLATEAU_REACHED, last.plateau
    elif last and last.exhausted and count < spec.trials.max:
        reason = StudyReason.SPACE_EXHAUSTED
        message = f"the space holds no further trial after {count}"
    else:
        reason = StudyReason.TRIALS_EXHAUSTED
        have = "trial has" if count == 1 else "trials have"
        message = f"{count} {have} ended, {_limit(spec, count)}"
    if any(trial.state is TrialState.COMPLETE for trial in course.search(trials)):
        return End(reason, succeeded=True, message=message)
    return End(
        StudyReason.NO_SUCCESSFUL_TRIAL, succeeded=False, message=f"{message}; none is Complete"
    )


def _limit(spec: StudySpec, count: int) -> str:
    if count >= spec.trials.max:
        return f"trials.max is {spec.trials.max}"
    more = "for more, raise the trials of the last phase or add one"
    return f"all that the phases ask for: {more}"
