"""Runs that have ended give their trials a result, or another attempt."""

from kubetune.domain import outcomes, sentences
from kubetune.domain.draft import Draft
from kubetune.domain.outcomes import Again, Ending, Final
from kubetune.domain.reasons import TrialReason
from kubetune.domain.runs import Run, RunState


def absorb_outcomes(draft: Draft) -> Draft:
    """Judges every ended run of a Running trial's present attempt, the earliest end first.

    A run that was being stopped while its trial has no result was stopped with its study: what
    else would be a disruption is a pause, and counts against nothing.
    """
    ended = [run for run in draft.runs.values() if run.state is RunState.ENDED]
    for run in sorted(ended, key=lambda run: (run.ended_at or 0.0, run.number)):
        draft = _absorb(draft, run)
    return draft


def _absorb(draft: Draft, run: Run) -> Draft:
    ending = outcomes.judge(draft.spec, draft.trials[run.number], run)
    draft = draft.record(draft.trials[run.number], ending.points)
    trial = draft.trials[run.number]
    if run.stopping and _reason(ending) is TrialReason.DISRUPTED:
        return draft.retry(trial, TrialReason.SUSPENDED, {}, sentences.stopped(trial))
    match ending:
        case Again(reason=reason, parameters=parameters, message=message):
            event = sentences.retried(trial, reason, message)
            return draft.retry(trial, reason, parameters, event)
        case Final(outcome=outcome):
            ended_at = draft.seen.now if run.ended_at is None else run.ended_at
            return draft.tell(trial, outcome, ended_at)


def _reason(ending: Ending) -> TrialReason:
    return ending.reason if isinstance(ending, Again) else ending.outcome.reason
