"""What the end of a run means for its trial: the one place where exits become outcomes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from kubetune.domain import curves, measures, retries
from kubetune.domain.exits import Cause, classify
from kubetune.domain.reasons import TrialReason
from kubetune.domain.result import Garbage, ResultState, TrialResult, clean, parse
from kubetune.domain.runs import Exit, Run
from kubetune.domain.study import InitialTrial, StudySpec
from kubetune.domain.trial import Outcome, Point, Stage, Trial, TrialState
from kubetune.domain.values import Assignment
from kubetune.domain.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Final:
    """The trial has ended. `points` are those of its message that are not stored yet."""

    outcome: Outcome
    points: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Again:
    """The trial goes on with another attempt, and these parameters."""

    reason: TrialReason
    parameters: Assignment
    message: str
    points: tuple[Point, ...] = ()


Ending: TypeAlias = Final | Again

_OWN_REASONS: Mapping[ResultState, frozenset[TrialReason]] = {
    ResultState.FAILED: frozenset(
        {
            TrialReason.DIVERGED,
            TrialReason.GRADIENT_EXPLOSION,
            TrialReason.GUARD_TRIPPED,
            TrialReason.BAD_CONFIGURATION,
        }
    ),
    ResultState.PRUNED: frozenset({TrialReason.GUARD_TRIPPED, TrialReason.PATIENCE_EXHAUSTED}),
}
"""The reasons that a trial may give for its own end; any other word is only shown."""

_SIGNALS = {
    129: "SIGHUP",
    130: "SIGINT",
    134: "SIGABRT",
    137: "SIGKILL",
    139: "SIGSEGV",
    143: "SIGTERM",
}


def judge(spec: StudySpec, trial: Trial, run: Run) -> Ending:
    """How the trial goes on after this run has ended. Total: no exit and no message raises."""
    end = run.exit or Exit(code=None)
    said = parse(end.message, trial.number) if end.message.strip() else None
    result = said if isinstance(said, TrialResult) else None
    points = measures.new_points(spec, trial, result)
    words = _words(end, said)
    match classify(run, said):
        case Cause.LAUNCH_FAILED:
            failure = TrialReason.LAUNCH_FAILED, f"not started: {clean(end.launch_error)}"
        case Cause.TIMED_OUT:
            limit = spec.trials.timeout_seconds
            failure = TrialReason.TIMED_OUT, f"ran longer than {limit:.6g} s" if limit else words
        case Cause.BAD_CONFIGURATION:
            failure = TrialReason.BAD_CONFIGURATION, words
        case Cause.GARBAGE:
            failure = TrialReason.BAD_REPORT, words
        case Cause.CRASHED:
            failure = _own_reason(result, TrialReason.CRASHED), words
            if spec.trials.crash_is_out_of_memory and failure[0] is TrialReason.CRASHED:
                return _after_crash(spec, trial, points, words)
        case Cause.OUT_OF_MEMORY:
            return _after_out_of_memory(spec, trial, points, words)
        case Cause.DISRUPTED:
            return _after_disruption(spec, trial, points, words)
        case Cause.SILENT | Cause.REPORTED:
            return _reported(spec, trial, result, points, words)
    return _fail(trial, *failure, points)


def initial_outcome(spec: StudySpec, initial: InitialTrial) -> Outcome | None:
    """The outcome of an initial trial whose result is known; None when it has to run.

    Its reason is always Imported: one that breaks an outcome constraint has used up nothing and
    is no failure of this study.
    """
    if initial.metrics is None:
        return None
    outcome = measures.finish(spec, (), initial.metrics)
    return replace(outcome, reason=TrialReason.IMPORTED)


def conclude(spec: StudySpec, trial: Trial, verdict: Verdict) -> Outcome:
    """The outcome of a trial that a guard, the pruner or the study's end stops.

    It has the metrics of its last point and no values; what it reported stays in its curve.
    """
    del spec  # every verdict ends a trial in the same way, whatever the study
    metrics = curves.last_metrics(trial.curve)
    return Outcome(verdict.state, verdict.reason, verdict.message, metrics=metrics)


def _reported(
    spec: StudySpec,
    trial: Trial,
    result: TrialResult | None,
    points: tuple[Point, ...],
    words: str,
) -> Final:
    if result is None or result.state is ResultState.COMPLETE:
        final = result.metrics if result else {}
        message = result.message if result else ""
        curve = _whole_curve(spec, trial, result, points)
        outcome = measures.finish(spec, curve, final, message=message)
        return Final(_held_out(spec, trial, outcome), points)
    if result.state is ResultState.PRUNED:
        reason = _own_reason(result, TrialReason.PRUNED)
        metrics = {**curves.last_metrics(trial.curve), **result.metrics}
        message = _sentence(result) or "the trial ended itself early"
        return Final(Outcome(TrialState.PRUNED, reason, message, metrics=metrics), points)
    return _fail(trial, _own_reason(result, TrialReason.CRASHED), words, points, result)


def _held_out(spec: StudySpec, trial: Trial, outcome: Outcome) -> Outcome:
    """A held-out run was made for one metric: without it, it has failed."""
    metric = spec.finalists and spec.finalists.held_out_metric
    if trial.stage is not Stage.HELD_OUT or not metric or metric in outcome.metrics:
        return outcome
    message = f"{metric} was never reported: in the stage heldout a trial must report it"
    return Outcome(TrialState.FAILED, TrialReason.METRICS_MISSING, message, metrics=outcome.metrics)


def _after_disruption(
    spec: StudySpec, trial: Trial, points: tuple[Point, ...], words: str
) -> Ending:
    limit = spec.trials.disruption_retries
    if trial.disruptions < limit:
        return Again(TrialReason.DISRUPTED, trial.parameters, words, points)
    used = f"; all {limit} retries are used" if limit else ""
    return _fail(trial, TrialReason.DISRUPTED, words + used, points)


def _after_out_of_memory(
    spec: StudySpec, trial: Trial, points: tuple[Point, ...], words: str
) -> Ending:
    adjusted = retries.adjust(spec, trial)
    if isinstance(adjusted, retries.NoRetry):
        message = f"out of memory, {words}; {adjusted.why}"
        return _fail(trial, TrialReason.OUT_OF_MEMORY, message, points)
    message = f"out of memory: {_changes(trial, adjusted)}"
    return Again(TrialReason.OUT_OF_MEMORY, adjusted, message, points)


def _after_crash(spec: StudySpec, trial: Trial, points: tuple[Point, ...], words: str) -> Ending:
    """What memory may have caused is tried again with less; what comes all the same is a crash."""
    adjusted = retries.adjust(spec, trial)
    if isinstance(adjusted, retries.NoRetry):
        taken = "taken for a lack of memory before, " if trial.out_of_memory else ""
        return _fail(trial, TrialReason.CRASHED, f"{words}; {taken}{adjusted.why}", points)
    message = f"{words}, taken for a lack of memory: {_changes(trial, adjusted)}"
    return Again(TrialReason.OUT_OF_MEMORY, adjusted, message, points)


def _changes(trial: Trial, adjusted: Assignment) -> str:
    return ", ".join(
        f"{name} {trial.parameters[name]} -> {value}"
        for name, value in adjusted.items()
        if name in trial.parameters and trial.parameters[name] != value
    )


def _fail(
    trial: Trial,
    reason: TrialReason,
    message: str,
    points: tuple[Point, ...],
    result: TrialResult | None = None,
) -> Final:
    metrics = {**curves.last_metrics(trial.curve), **(result.metrics if result else {})}
    return Final(Outcome(TrialState.FAILED, reason, message, metrics=metrics), points)


def _whole_curve(
    spec: StudySpec, trial: Trial, result: TrialResult | None, points: tuple[Point, ...]
) -> tuple[Point, ...]:
    """Stored and new points in order; a stored one keeps its values and gains a missing one."""
    told = dict(result.curve) if result else {}
    metric = spec.objective.metric
    stored = (
        Point(point.step, {metric: told[point.step], **point.metrics})
        if point.step in told
        else point
        for point in trial.curve
    )
    return tuple(sorted((*stored, *points), key=lambda point: point.step))


def _own_reason(result: TrialResult | None, otherwise: TrialReason) -> TrialReason:
    if result is None:
        return otherwise
    allowed = _OWN_REASONS.get(result.state, frozenset())
    return next((reason for reason in allowed if reason == result.reason), otherwise)


def _words(end: Exit, said: TrialResult | Garbage | None) -> str:
    """The exit code and what the trial said, in one sentence for people."""
    code = "exit code unknown" if end.code is None else f"exit code {end.code}"
    if end.code in _SIGNALS:
        code += f" ({_SIGNALS[end.code]})"
    match said:
        case None:
            return code
        case Garbage():
            if end.code == 0:
                return said.sentence
            return clean(f"{code}: {end.message.decode('utf-8', 'replace')}")
        case TrialResult():
            text = _sentence(said) or f"the trial says {said.state}"
            return clean(f"{code}: {text}")


def _sentence(result: TrialResult) -> str:
    return ": ".join(part for part in (result.reason, result.message) if part)
