"""Outcome classes: the study's own names for kinds of ended trials."""

from collections.abc import Iterable
from typing import Any

from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Trial


def count(spec: StudySpec, trials: Iterable[Trial]) -> dict[str, int]:
    """How many ended trials fall into each class, every class named, in the study's order."""
    counts = {outcome.name: 0 for outcome in spec.outcomes}
    for trial in trials if counts else ():
        for name in of(spec, trial):
            counts[name] += 1
    return counts


def of(spec: StudySpec, trial: Trial) -> tuple[str, ...]:
    """The classes of one trial: a trial may be in several or none; in none until it ended.

    A class whose expression names a metric that the trial never had does not hold.
    """
    if not trial.state.ended or trial.outcome is None:
        return ()
    values: dict[str, Any] = {
        **trial.parameters,
        "state": trial.state.value,
        "reason": trial.outcome.reason.value,
        "metrics": trial.outcome.metrics,
    }
    return tuple(outcome.name for outcome in spec.outcomes if outcome.when.holds(values))
