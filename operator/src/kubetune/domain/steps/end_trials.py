"""Running trials that are not to go on: guards, time limits and pruning."""

from dataclasses import replace

from kubetune.domain import outcomes, pruning
from kubetune.domain.draft import Draft
from kubetune.domain.pruners.field import Field
from kubetune.domain.reasons import TrialReason
from kubetune.domain.result import clean
from kubetune.domain.runs import Run, RunState
from kubetune.domain.steps import guarding
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Trial, TrialState
from kubetune.domain.verdict import Verdict


def apply_guards(draft: Draft) -> Draft:
    """Ends trials whose new points break a guard or hold a non-finite objective."""
    for number in draft.fresh:
        trial, run = draft.trials[number], draft.runs.get(number)
        if run is not None and not trial.state.ended:
            draft = _conclude(draft, trial, guarding.verdict(draft, run))
    return draft


def end_late_trials(draft: Draft) -> Draft:
    """Ends trials whose present attempt has run longer than `trials.timeoutSeconds`."""
    limit = draft.spec.trials.timeout_seconds
    if limit is None:
        return draft
    for number, run in sorted(draft.runs.items()):
        trial = draft.trials[number]
        seconds = guarding.elapsed_seconds(draft, run)
        if trial.state.ended or run.state is RunState.ENDED or seconds < limit:
            continue
        message = f"ran {seconds:.0f} s, trials.timeoutSeconds is {limit:.0f}"
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

    Without metrics nothing is pruned: curves that stand still prove nothing. A trial whose run
    has ended has done its work: there is nothing to save.
    """
    if not draft.seen.metrics_reachable:
        return draft
    fields: dict[str, tuple[StudySpec, Field]] = {}
    for number in sorted(draft.fresh):
        trial, run = draft.trials[number], draft.runs.get(number)
        if trial.state.ended or run is None or run.state is RunState.ENDED:
            continue
        name = draft.spec.phase(trial.phase).name
        if name not in fields:
            fields[name] = _field(draft, name)
        verdict = pruning.prune(fields[name][0], trial, fields[name][1])
        draft = _conclude(draft, trial, verdict)
    return draft


def _field(draft: Draft, name: str) -> tuple[StudySpec, Field]:
    """The study as a phase prunes it, and the trials of that phase: others had other ranges."""
    spec = replace(draft.spec, pruner=draft.spec.phase(name).pruner)
    peers = (each for each in draft.trials.values() if spec.phase(each.phase).name == name)
    return spec, Field(spec, peers)


def _conclude(draft: Draft, trial: Trial, verdict: Verdict | None) -> Draft:
    if verdict is None:
        return draft
    return draft.tell(trial, outcomes.conclude(draft.spec, trial, verdict), draft.seen.now)
