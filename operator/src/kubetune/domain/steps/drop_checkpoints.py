"""Checkpoints that the study does not keep."""

from kubetune.domain import ranking
from kubetune.domain.actions import DropCheckpoint
from kubetune.domain.draft import Draft
from kubetune.domain.study import Keep
from kubetune.domain.trial import Stage


def drop_checkpoints(draft: Draft) -> Draft:
    """Drops those of ended trials that are not the best so far, when `checkpoints.keep` says so.

    With several objectives the Pareto front is the best, after the finals their winner; what ran on
    held-out data is kept in any case. `Finalists` keeps every run of the finals, and what they
    repeat, as well. A trial
    that has not ended, or whose run has not, may still need its own. Without `checkpoints` in the
    study everything stays.
    """
    keep = draft.spec.keep_checkpoints
    if keep not in {Keep.BEST, Keep.FINALISTS} or not draft.seen.checkpoints:
        return draft
    alive = {run.number for run in draft.seen.runs}
    best = _best(draft) | (_finalists(draft) if keep is Keep.FINALISTS else set())
    for number in sorted(draft.seen.checkpoints - alive - best):
        trial = draft.trials.get(number)
        if trial is None or trial.state.ended:
            draft = draft.add(DropCheckpoint(number))
    return draft


def _best(draft: Draft) -> set[int]:
    if len(draft.spec.objectives) > 1:
        front = ranking.pareto_front(draft.spec, list(draft.trials.values()), None)
        return {trial.number for trial in front}
    found = {each.number for each in draft.trials.values() if each.stage is Stage.HELD_OUT}
    if draft.best:
        found.add(draft.best.number)
    if draft.finals.winner:
        found.add(draft.finals.winner.trial.number)
    return found


def _finalists(draft: Draft) -> set[int]:
    runs = [trial for trial in draft.trials.values() if trial.repeats is not None]
    repeated = {trial.repeats for trial in runs if trial.repeats is not None}
    found = {trial.number for trial in runs} | repeated
    return found | {each.trial.number for each in draft.finals.finalists}
