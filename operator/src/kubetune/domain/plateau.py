"""A search that brings nothing new any more."""

from collections.abc import Sequence

from kubetune.domain import ranking
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Trial, TrialState


def reached(spec: StudySpec, trials: Sequence[Trial]) -> str:
    """How little the last trials of a phase brought, in words; empty while they bring enough.

    Trials count in the order in which they ended, however they ended: one that was pruned brought
    nothing. Needed is one complete trial before the last N, else there is nothing to compare with.
    With several objectives there is no single best, and never a plateau.
    """
    limit = spec.plateau
    if limit is None or len(spec.objectives) > 1:
        return ""
    ended = sorted(
        (trial for trial in trials if trial.state.ended and not _aside(trial)),
        key=lambda trial: (trial.ended_at or 0.0, trial.number),
    )
    last = ended[-limit.trials :]
    before = ranking.best(spec, ended[: -limit.trials])
    if len(last) < limit.trials or before is None or before.value is None:
        return ""
    best = ranking.best(spec, (before, *last))
    assert best is not None
    assert best.value is not None
    gain = ranking.improvement(spec, best.value, before.value)
    if gain >= limit.min_improvement:
        return ""
    return (
        f"the last {limit.trials} trials improved {spec.objective.metric} by {gain:.2%},"
        f" less than {limit.min_improvement:.2%}"
    )


def _aside(trial: Trial) -> bool:
    """Ended for no fault or merit of its own."""
    return (
        trial.state is TrialState.FAILED
        and trial.outcome is not None
        and trial.outcome.reason is TrialReason.CANCELLED
    )
