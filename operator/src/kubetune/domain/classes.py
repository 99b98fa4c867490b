"""Outcome classes: the study's own names for kinds of ended trials."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, TypeAlias

from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Trial

Known: TypeAlias = Mapping[int, tuple[str, ...]]
"""The classes of ended trials, by number: they never change."""


def count(
    spec: StudySpec, trials: Iterable[Trial], known: Known = MappingProxyType({})
) -> dict[str, int]:
    """How many ended trials fall into each class, every class named, in the study's order.

    `known` holds the classes of trials, by number, that need not be worked out anew.
    """
    counts = {outcome.name: 0 for outcome in spec.outcomes}
    for trial in trials if counts else ():
        names = known.get(trial.number)
        for name in of(spec, trial) if names is None else names:
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
