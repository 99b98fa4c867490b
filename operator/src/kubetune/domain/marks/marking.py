"""All marks of a study's trials."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from kubetune.domain.marks import diverged, limits
from kubetune.domain.marks.exploded import exploded
from kubetune.domain.marks.mark import Marked
from kubetune.domain.marks.overfitting import overfitting
from kubetune.domain.marks.peers import Peers, Starts, course
from kubetune.domain.marks.slow import slow
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Stage, Trial, TrialState

Marks: TypeAlias = Mapping[int, tuple[Marked, ...]]
"""Marks by number of trial; of trials without one there is nothing."""


def mark(spec: StudySpec, trials: Sequence[Trial]) -> Marks:
    """What the curves show as they are now, of trials that still run too.

    A trial that diverged or exploded is neither overfitting nor slow: it has worse troubles. Nor
    is it a peer that others are compared with, and neither are finalists.
    """
    found = {trial.number: broken for trial in trials if (broken := _broken(spec, trial))}
    starts = Starts(_peers(trials, found))
    for trial in _without(found, trials):
        if above := diverged.above_peers(trial, starts):
            found[trial.number] = (above,)
    objective = spec.objective
    peers = Peers(course(objective, trial) for trial in _peers(trials, found))
    for trial in _without(found, trials):
        judged = overfitting(objective, trial) or slow(objective, course(objective, trial), peers)
        if judged:
            found[trial.number] = (judged,)
    return found


def _broken(spec: StudySpec, trial: Trial) -> tuple[Marked, ...]:
    return tuple(one for one in (diverged.diverged(spec, trial), exploded(trial)) if one)


def _without(found: Marks, trials: Sequence[Trial]) -> list[Trial]:
    return [trial for trial in trials if trial.number not in found]


def _peers(trials: Sequence[Trial], found: Marks) -> list[Trial]:
    """Complete trials of the search with no mark so far; of many only some."""
    known = [
        trial
        for trial in _without(found, trials)
        if trial.state is TrialState.COMPLETE and trial.stage is Stage.SEARCH
    ]
    return known[:: max(1, -(-len(known) // limits.PEERS_LIMIT))]
