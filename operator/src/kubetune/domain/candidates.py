"""Which configurations may be run again in the finals, and with which values."""

from collections.abc import Callable, Iterable

from kubetune.domain import course, ranking
from kubetune.domain.coordinates import Coordinates
from kubetune.domain.space import refitted
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Trial
from kubetune.domain.values import Assignment


def leaders(
    spec: StudySpec, trials: Iterable[Trial]
) -> tuple[tuple[Trial, ...], dict[int, tuple[str, ...]]]:
    """The leaders of the search that may be run again, and those ahead of them that may not.

    The values that a finalist runs with must break no hard constraint; which ones they would break
    is told of each that is passed over.
    """
    assert spec.finalists
    complete, broken = tuple(course.search(trials)), _rules(spec)
    found: list[Trial] = []
    passed_over: dict[int, tuple[str, ...]] = {}
    for trial in ranking.leaders(spec, complete, len(complete)):
        if len(found) == spec.finalists.top:
            break
        if names := broken(trial):
            passed_over[trial.number] = names
        else:
            found.append(trial)
    return tuple(found), passed_over


def parameters(spec: StudySpec, trial: Trial, trials: Iterable[Trial] = ()) -> Assignment:
    """What a finalist runs with: its values, those of `finalists.fixed`, derived ones anew.

    Where a run of it among `trials` ran out of memory, those after it begin with the values that
    `onOutOfMemory` gave that one: the rules say what is the same configuration in less memory, and
    no seed needs to find out again.
    """
    assert spec.finalists
    changes = {**spec.finalists.fixed, **_adjusted(spec, trial, trials)}
    return refitted(spec.phase(trial.phase).space, trial.parameters, changes)


def _adjusted(spec: StudySpec, trial: Trial, trials: Iterable[Trial]) -> Assignment:
    """What the rules for an out-of-memory have changed in the run that needed most of them."""
    runs = (run for run in trials if run.repeats == trial.number and run.out_of_memory)
    run = max(runs, key=lambda run: (run.out_of_memory, -run.number), default=None)
    names = [rule.name for rule in spec.trials.on_out_of_memory]
    return {name: run.parameters[name] for name in names if name in run.parameters} if run else {}


def _rules(spec: StudySpec) -> Callable[[Trial], tuple[str, ...]]:
    """Says which hard constraints a trial would break with the values of a finalist."""
    spaces: dict[str, Coordinates] = {}

    def broken(trial: Trial) -> tuple[str, ...]:
        if not spec.finalists or not spec.finalists.fixed:
            return ()
        phase = spec.phase(trial.phase)
        if phase.name not in spaces:
            spaces[phase.name] = Coordinates(phase.space)
        return spaces[phase.name].broken(parameters(spec, trial))

    return broken
