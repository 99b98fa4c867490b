"""The end of a study that is deleted: its history keeps no trial that seems to run."""

from kubetune.domain import curves
from kubetune.domain.ports import Clock, TrialStore
from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import Outcome, TrialState

DELETED = "the study was deleted"


async def cancel_all(store: TrialStore, clock: Clock, why: str = DELETED) -> int:
    """Tells every Running trial Cancelled; how many there were. Safe to repeat.

    A cancelled trial is no failure, and no model learns from it.

    Raises:
        StorageUnreachable: the database went away; what was told stays told, so call again.
    """
    cancelled = 0
    for trial in await store.trials():
        if trial.state.ended:
            continue
        metrics = curves.last_metrics(trial.curve)
        outcome = Outcome(TrialState.FAILED, TrialReason.CANCELLED, why, metrics=metrics)
        cancelled += await store.tell(trial.number, outcome, trial.started_at, clock.now())
    return cancelled
