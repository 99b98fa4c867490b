"""When a study has ended, as a function of what is known: never stored, so never out of date."""

from collections.abc import Collection
from dataclasses import dataclass

from kubetune.domain.reasons import StudyReason, TrialReason
from kubetune.domain.study import InitialTrial, StudySpec
from kubetune.domain.trial import Trial, TrialState


@dataclass(frozen=True, slots=True)
class End:
    """Why a study has ended, in a word and in a sentence with figures."""

    reason: StudyReason
    succeeded: bool
    message: str


def decide(
    spec: StudySpec, trials: Collection[Trial], *, best: Trial | None, exhausted: bool
) -> End | None:
    """The study's end, or None while it goes on; `best` is the best of the trials.

    A reached target comes first, then too many failures; both end the study while trials run. The
    budget and the space are used up only when no trial runs and no initial trial is left.
    """
    running = any(trial.state is TrialState.RUNNING for trial in trials)
    return (
        _target_reached(spec, best)
        or _too_many_failures(spec, trials)
        or (None if running else _used_up(spec, trials, exhausted=exhausted))
    )


def counted(trials: Collection[Trial]) -> int:
    """How many trials count against `trials.max`: all but those imported with known metrics.

    How a trial ended makes no difference: each was drawn or given, and had its run.
    """
    return sum(1 for trial in trials if not imported(trial))


def imported(trial: Trial) -> bool:
    """Whether a trial's result was known before the study and never run."""
    return trial.outcome is not None and trial.outcome.reason is TrialReason.IMPORTED


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


def _used_up(spec: StudySpec, trials: Collection[Trial], *, exhausted: bool) -> End | None:
    pending = pending_initial(spec, trials)
    if any(initial.metrics is not None for initial in pending):
        return None
    count = counted(trials)
    if count >= spec.trials.max:
        reason = StudyReason.TRIALS_EXHAUSTED
        have = "trial has" if count == 1 else "trials have"
        message = f"{count} {have} ended, trials.max is {spec.trials.max}"
    elif exhausted and not pending:
        reason = StudyReason.SPACE_EXHAUSTED
        message = f"the space holds no further trial after {count}"
    else:
        return None
    if any(trial.state is TrialState.COMPLETE for trial in trials):
        return End(reason, succeeded=True, message=message)
    return End(
        StudyReason.NO_SUCCESSFUL_TRIAL, succeeded=False, message=f"{message}; none is Complete"
    )
