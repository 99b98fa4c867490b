"""Checkpoints that the study does not keep."""

from kubetune.domain import ranking
from kubetune.domain.actions import DropCheckpoint
from kubetune.domain.draft import Draft
from kubetune.domain.study import Keep


def drop_checkpoints(draft: Draft) -> Draft:
    """Drops those of ended trials that are not the best so far, when `checkpoints.keep` says so.

    With several objectives the Pareto front is the best. A trial that has not ended, or whose run
    has not, may still need its own. Without `checkpoints` in the study everything stays.
    """
    if draft.spec.keep_checkpoints is not Keep.BEST or not draft.seen.checkpoints:
        return draft
    alive = {run.number for run in draft.seen.runs}
    best = _best(draft)
    for number in sorted(draft.seen.checkpoints - alive - best):
        trial = draft.trials.get(number)
        if trial is None or trial.state.ended:
            draft = draft.add(DropCheckpoint(number))
    return draft


def _best(draft: Draft) -> set[int]:
    if len(draft.spec.objectives) > 1:
        front = ranking.pareto_front(draft.spec, list(draft.trials.values()), None)
        return {trial.number for trial in front}
    return {draft.best.number} if draft.best else set()
