"""The study's end, its pauses, and the runs that nothing is expected of any more."""

from kubetune.domain import outcomes
from kubetune.domain.actions import RemoveRun, StopRun
from kubetune.domain.draft import Draft
from kubetune.domain.reasons import TrialReason
from kubetune.domain.runs import Run, RunState
from kubetune.domain.trial import Stage, TrialState
from kubetune.domain.verdict import Verdict


def stop_study(draft: Draft) -> Draft:
    """Cancels the trials that still run once the search has ended; with the study's end, all."""
    end = draft.end or draft.search_end
    if end is None:
        return draft
    what = "study" if draft.end else "search"
    message = f"the {what} has ended, {end.reason.value}"
    verdict = Verdict(TrialState.FAILED, TrialReason.CANCELLED, message)
    for trial in draft.running():
        if draft.end is None and trial.stage is not Stage.SEARCH:
            continue
        outcome = outcomes.conclude(draft.spec, trial, verdict)
        draft = draft.tell(trial, outcome, draft.seen.now)
    return draft


def pause_trials(draft: Draft) -> Draft:
    """While the study is suspended or interrupted: stops runs, tells nothing.

    Their trials stay Running and go on from their checkpoints when the study does.
    """
    if not draft.paused or draft.end:
        return draft
    why = "the study was interrupted" if draft.seen.interrupted else "the study is suspended"
    for number, run in sorted(draft.runs.items()):
        if not draft.trials[number].state.ended:
            draft = _stop(draft, run, why)
    return draft


def clear_runs(draft: Draft) -> Draft:
    """Stops runs that are not their trial's present attempt, and removes those that have ended.

    Such a run belongs to a trial that has its result, to an earlier attempt, to no trial of this
    study, or is the second of one attempt.
    """
    for run in draft.seen.runs:
        trial = draft.trials.get(run.number)
        if trial and not trial.state.ended and draft.runs.get(run.number) is run:
            continue
        if run.state is RunState.ENDED:
            draft = draft.add(RemoveRun(run.number, run.attempt, run.uid))
        elif trial and trial.outcome:
            draft = _stop(draft, run, trial.outcome.reason.value or trial.state.value)
        else:
            draft = _stop(draft, run, "it is no present attempt of a trial of this study")
    return draft


def _stop(draft: Draft, run: Run, why: str) -> Draft:
    if run.stopping or run.state is RunState.ENDED:
        return draft
    return draft.add(StopRun(run.number, run.attempt, run.uid, why))
