"""Running trials that are not to go on: guards, time limits and pruning."""

from kubetune.domain import guards, outcomes, pruning
from kubetune.domain.draft import Draft
from kubetune.domain.observation import Reading
from kubetune.domain.reasons import TrialReason
from kubetune.domain.result import clean
from kubetune.domain.runs import Run, RunState
from kubetune.domain.trial import Trial, TrialState
from kubetune.domain.verdict import Verdict


def apply_guards(draft: Draft) -> Draft:
    """Ends trials whose new points break a guard or hold a non-finite objective."""
    fresh = [number for number in draft.fresh if not draft.trials[number].state.ended]
    if not fresh:
        return draft
    best = draft.best.outcome.metrics if draft.best and draft.best.outcome else {}
    earlier = {trial.number: trial for trial in draft.seen.trials if trial.number in draft.fresh}
    for number in fresh:
        run = draft.runs.get(number)
        if run is None:
            continue
        verdict = guards.check(
            draft.spec,
            earlier[number],
            draft.fresh[number],
            best=best,
            elapsed_seconds=_elapsed(draft, run),
            progress=draft.seen.readings.get(number, Reading()).progress,
        )
        draft = _conclude(draft, draft.trials[number], verdict)
    return draft


def end_late_trials(draft: Draft) -> Draft:
    """Ends trials whose present attempt has run longer than `trials.timeoutSeconds`."""
    limit = draft.spec.trials.timeout_seconds
    if limit is None:
        return draft
    for number, run in sorted(draft.runs.items()):
        trial = draft.trials[number]
        if trial.state.ended or run.state is RunState.ENDED or _elapsed(draft, run) < limit:
            continue
        message = f"ran {_elapsed(draft, run):.0f} s, trials.timeoutSeconds is {limit:.0f}"
        verdict = Verdict(TrialState.FAILED, TrialReason.TIMED_OUT, message)
        draft = _conclude(draft, trial, verdict)
    return draft


def end_stuck_trials(draft: Draft) -> Draft:
    """Ends trials whose run has been unable to start for `trials.pendingTimeoutSeconds`.

    A run that waits in a queue is not stuck, however long it waits.
    """
    limit = draft.spec.trials.pending_timeout_seconds
    if limit is None:
        return draft
    for number, run in sorted(draft.runs.items()):
        trial, seconds = draft.trials[number], stuck_seconds(draft, run)
        if trial.state.ended or seconds is None or seconds < limit:
            continue
        waited = f"waited {seconds:.0f} s to start, trials.pendingTimeoutSeconds is {limit:.0f}"
        message = f"{clean(run.waiting)}; {waited}" if run.waiting else waited
        draft = _conclude(draft, trial, Verdict(TrialState.FAILED, run.stuck, message))
    return draft


def stuck_seconds(draft: Draft, run: Run) -> float | None:
    """How long a run has been unable to start; None for one that is not, or is being stopped."""
    if run.state is not RunState.PENDING or run.stopping or run.stuck is TrialReason.NONE:
        return None
    return 0.0 if run.stuck_since is None else max(0.0, draft.seen.now - run.stuck_since)


def prune_trials(draft: Draft) -> Draft:
    """Ends trials that are not worth going on with; only those with new points are looked at.

    Without metrics nothing is pruned: curves that stand still prove nothing.
    """
    if not draft.seen.metrics_reachable:
        return draft
    for number in sorted(draft.fresh):
        trial = draft.trials[number]
        if trial.state.ended or number not in draft.runs:
            continue
        verdict = pruning.prune(draft.spec, trial, tuple(draft.trials.values()))
        draft = _conclude(draft, trial, verdict)
    return draft


def _conclude(draft: Draft, trial: Trial, verdict: Verdict | None) -> Draft:
    if verdict is None:
        return draft
    return draft.tell(trial, outcomes.conclude(draft.spec, trial, verdict), draft.seen.now)


def _elapsed(draft: Draft, run: Run) -> float:
    """Since the start, which another machine's clock may put into the future: then 0."""
    return 0.0 if run.started_at is None else max(0.0, draft.seen.now - run.started_at)
