"""Running trials that are not to go on: guards, time limits and pruning."""

from kubetune.domain import guards, outcomes, pruning
from kubetune.domain.draft import Draft
from kubetune.domain.observation import Reading
from kubetune.domain.reasons import TrialReason
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
    return 0.0 if run.started_at is None else draft.seen.now - run.started_at
