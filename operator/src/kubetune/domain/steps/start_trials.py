"""Free slots are filled: first with trials that wait, then with new ones."""

from kubetune.domain import budget, candidates, sentences, stopping
from kubetune.domain.actions import AddInitialTrial, AddRepeat, DrawTrials, LaunchTrial
from kubetune.domain.draft import Draft
from kubetune.domain.runs import RunState
from kubetune.domain.trial import Trial


def launch_trials(draft: Draft) -> Draft:
    """Launches Running trials that have no run, the lowest number first, into free slots.

    A slot is free once its run has ended, not when it was told to.
    """
    if draft.end or draft.paused:
        return draft
    alive = sum(1 for run in draft.seen.runs if run.state is not RunState.ENDED)
    for trial in _waiting(draft)[: max(0, draft.limit - alive)]:
        action = LaunchTrial(trial.number, trial.attempt)
        draft = draft.add(action, event=sentences.launched(draft.spec, trial))
    return draft


def add_trials(draft: Draft) -> Draft:
    """Adds initial trials in their order, then draws; never more than slots and budget allow.

    Initial trials with known metrics take neither a slot nor a share of `trials.max`. While
    nothing can be launched no trial is drawn: by the time it can there may be more to learn from.
    Of drawn trials no more wait for their launch than are launched at once.
    """
    if draft.end or draft.paused:
        return draft
    if draft.search_end:
        return _add_repeats(draft)
    trials = draft.trials.values()
    pending = stopping.pending_initial(draft.spec, trials)
    place = draft.place
    phase = place.phase.name if place and place.phase else draft.spec.course[-1].name
    room = max(0, min(_free_slots(draft), place.room if place else 0))
    if draft.seen.held or not budget.fits(draft.spec, trials, draft.seen.now, keep=True):
        room = 0
    for initial in pending:
        if initial.metrics is None and room == 0:
            continue
        draft = draft.add(AddInitialTrial(initial.name, phase))
        room -= initial.metrics is None
    if room > 0 and phase not in draft.seen.exhausted:
        draft = draft.add(DrawTrials(min(room, draft.seen.at_once), phase))
    return draft


def _add_repeats(draft: Draft) -> Draft:
    """Adds the runs of the finals that are missing, the leader's first."""
    spec, trials = draft.spec, draft.trials
    if draft.seen.held or not budget.fits(spec, trials.values(), draft.seen.now):
        return draft
    for repeat in draft.finals.missing[: max(0, _free_slots(draft))]:
        parameters = candidates.parameters(spec, trials[repeat.of], trials.values())
        draft = draft.add(AddRepeat(repeat.of, repeat.stage, repeat.seed, parameters))
    return draft


def _waiting(draft: Draft) -> tuple[Trial, ...]:
    return tuple(trial for trial in draft.running() if trial.number not in draft.runs)


def _free_slots(draft: Draft) -> int:
    """Slots that no Running trial holds and no run of another trial still takes up."""
    running = {trial.number for trial in draft.running()}
    leftover = sum(
        1
        for run in draft.seen.runs
        if run.state is not RunState.ENDED and draft.runs.get(run.number) is not run
    )
    ending = sum(
        1
        for number, run in draft.runs.items()
        if run.state is not RunState.ENDED and number not in running
    )
    return draft.limit - len(running) - leftover - ending
