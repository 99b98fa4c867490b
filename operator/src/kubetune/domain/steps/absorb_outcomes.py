"""Runs that have ended give their trials a result, or another attempt."""

from dataclasses import replace

from kubetune.domain import guards, last_values, outcomes, sentences, transitions
from kubetune.domain.draft import Draft
from kubetune.domain.outcomes import Again, Ending
from kubetune.domain.reasons import TrialReason
from kubetune.domain.runs import Run, RunState
from kubetune.domain.steps import guarding
from kubetune.domain.trial import Outcome


def absorb_outcomes(draft: Draft) -> Draft:
    """Judges every ended run of a Running trial's present attempt, the earliest end first.

    A run that was being stopped while its trial has no result was stopped with its study: what
    else would be a disruption is a pause, and counts against nothing. One whose last values may
    still arrive is judged later.
    """
    ended = [run for run in draft.runs.values() if run.state is RunState.ENDED]
    for run in sorted(ended, key=lambda run: (run.ended_at or 0.0, run.number)):
        draft = _absorb(draft, run)
    return draft


def _absorb(draft: Draft, run: Run) -> Draft:
    trial = draft.trials[run.number]
    ending = outcomes.judge(draft.spec, trial, run)
    if run.stopping and _reason(ending) is TrialReason.DISRUPTED:
        return _go_on(draft, run, TrialReason.SUSPENDED, ending)
    if isinstance(ending, Again):
        return _go_on(draft, run, ending.reason, ending)
    if seconds := last_values.wait_seconds(draft.seen, run, ending.outcome):
        return replace(draft, awaited={**draft.awaited, run.uid: seconds})
    draft = draft.record(trial, ending.points)
    outcome = ending.outcome
    if outcome.state in transitions.VALUED and (verdict := guarding.verdict(draft, run)):
        outcome = outcomes.conclude(draft.spec, draft.trials[run.number], verdict)
    return _tell(draft, run, outcome)


def _go_on(draft: Draft, run: Run, reason: TrialReason, ending: Ending) -> Draft:
    """The trial's next attempt, unless what it showed before has already diverged.

    A non-finite value that comes with the end alone is no report, but what a trial that was cut
    off had in its hands: it must not be held against the next attempt.
    """
    for point in draft.fresh.get(run.number, ()):
        if verdict := guards.check_finite(draft.spec, point):
            trial = draft.trials[run.number]
            return _tell(draft, run, outcomes.conclude(draft.spec, trial, verdict))
    finite = (point for point in ending.points if not guards.check_finite(draft.spec, point))
    draft = draft.record(draft.trials[run.number], tuple(finite))
    trial = draft.trials[run.number]
    if reason is TrialReason.SUSPENDED:
        return draft.retry(trial, reason, {}, sentences.stopped(trial))
    assert isinstance(ending, Again)
    event = sentences.retried(trial, reason, ending.message)
    return draft.retry(trial, reason, ending.parameters, event)


def _reason(ending: Ending) -> TrialReason:
    return ending.reason if isinstance(ending, Again) else ending.outcome.reason


def _tell(draft: Draft, run: Run, outcome: Outcome) -> Draft:
    ended_at = draft.seen.now if run.ended_at is None else run.ended_at
    return draft.tell(draft.trials[run.number], outcome, ended_at)
