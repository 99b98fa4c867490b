"""The trials of a study in memory, as Optuna's samplers want to see them.

Its axes are those of `Coordinates`: one trial with another distribution would drop a parameter
from joint models for good. Trial numbers and keys are the study's own, so what samplers note
about trials (CMA-ES its state, NSGA its parents) stays true after a restart.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.storages import InMemoryStorage
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, TrialState

from kubetune.adapters.optuna.lessons import Lesson, imputed, imputes_cuts, taught
from kubetune.adapters.optuna.records import Record
from kubetune.adapters.optuna.rows import constraint_names
from kubetune.adapters.optuna.samplers import (
    REMEMBERING,
    distribution,
    joint_space,
    sampler_for,
)
from kubetune.domain.coordinates import Coordinates
from kubetune.domain.study import Direction, StudySpec

NAME = "mirror"
STUDY = 0

_STATES = {
    Lesson.RUNNING: TrialState.RUNNING,
    Lesson.VALUED: TrialState.COMPLETE,
    Lesson.CUT: TrialState.PRUNED,
    Lesson.AVOID: TrialState.PRUNED,
    Lesson.NOTHING: TrialState.FAIL,
}


class Shelf(InMemoryStorage):
    """Optuna's storage in memory, with trials put in their places as they are."""

    def place(self, number: int, trial: FrozenTrial) -> None:
        """Puts a trial at its number, over what was there."""
        trial.number = number
        trial._trial_id = number  # noqa: SLF001 - Optuna has no public way
        shelved = self._studies[STUDY].trials
        if number == len(shelved):
            shelved.append(trial)
            self._trial_id_to_study_id_and_number[number] = (STUDY, number)
        else:
            shelved[number] = trial

    def cut(self, length: int) -> None:
        """Drops trials from number `length` on."""
        shelved = self._studies[STUDY].trials
        while len(shelved) > length:
            shelved.pop()
            del self._trial_id_to_study_id_and_number[len(shelved)]

    def note(self, attributes: Mapping[str, Any]) -> None:
        """Replaces the study's system attributes."""
        self._studies[STUDY].system_attrs = dict(attributes)


@dataclass(slots=True)
class Asking:
    """One draw under way: proposals over one history, and what the sampler noted."""

    shelf: Shelf
    study: Study
    sampler: BaseSampler
    number: int
    joint: Mapping[str, BaseDistribution]
    distributions: Mapping[str, BaseDistribution]

    def propose(self) -> dict[str, float | int]:
        """The sampler's next point; each call brings another."""
        sampler = self.sampler
        frozen = self.shelf.get_trial(self.number)
        point = sampler.sample_relative(self.study, frozen, dict(self.joint))
        frozen = self.shelf.get_trial(self.number)
        for name, item in self.distributions.items():
            if item.single():
                point[name] = item.to_external_repr(item.low)  # type: ignore[attr-defined] # numbers
            elif name not in point:
                point[name] = sampler.sample_independent(self.study, frozen, name, item)
        return {name: _plain(point[name], item) for name, item in self.distributions.items()}

    def memory(self, known: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        """What the sampler noted about this trial, and about the study beyond `known`."""
        noted = self.shelf.get_study_system_attrs(STUDY)
        return {
            "trial": dict(self.shelf.get_trial(self.number).system_attrs),
            "study": {key: value for key, value in noted.items() if key not in known},
        }


class Mirror:
    """Keeps up with a study's records and asks a fresh sampler for each draw."""

    def __init__(self, spec: StudySpec, coordinates: Coordinates) -> None:
        self._spec = spec
        self.distributions = {axis.name: distribution(axis) for axis in coordinates.axes}
        self._joint = joint_space(spec, self.distributions)
        self._names = constraint_names(spec)
        self._records: list[Record] = []
        self.shelf = Shelf()
        self.shelf.create_new_study([_direction(item.direction) for item in spec.objectives], NAME)

    def sync(self, history: Sequence[Record]) -> None:
        """Takes over what changed. Only trials whose record is another object are built anew."""
        self.shelf.cut(len(history))
        del self._records[len(history) :]
        for number, record in enumerate(history):
            if number == len(self._records):
                self._records.append(record)
            elif self._records[number] is record:
                continue
            self._records[number] = record
            self.shelf.place(number, self._frozen(record))
        if imputes_cuts(self._spec):
            self._impute_cuts()

    def _impute_cuts(self) -> None:
        """Gives trials without a value one that is as bad as any."""
        learnt = [(number, record, taught(record)) for number, record in enumerate(self._records)]
        known = [
            record.trial.outcome.values[0]
            for _, record, lesson in learnt
            if lesson is Lesson.VALUED and record.trial.outcome
        ]
        if not known:
            return
        value = imputed(known, self._spec.objective.direction)
        for number, record, lesson in learnt:
            if lesson in {Lesson.CUT, Lesson.AVOID}:
                self.shelf.place(number, self._frozen(record, value))

    @contextmanager
    def asking(self, history: Sequence[Record], seed: int) -> Iterator[Asking]:
        """A draw over a history; afterwards nothing of it is left here."""
        self.sync(history)
        number = len(history)
        self.shelf.note(self.known(history))
        self.shelf.place(number, optuna.trial.create_trial(state=TrialState.RUNNING))
        sampler = sampler_for(self._spec, seed)
        study = Study(study_name=NAME, storage=self.shelf, sampler=sampler)
        try:
            sampler.before_trial(study, self.shelf.get_trial(number))
            yield Asking(self.shelf, study, sampler, number, self._joint, self.distributions)
        finally:
            self.shelf.cut(number)

    def known(self, history: Sequence[Record]) -> dict[str, Any]:
        """What the sampler noted about the study in earlier draws."""
        if self._spec.sampler.algorithm not in REMEMBERING:
            return {}
        noted: dict[str, Any] = {}
        for record in history:
            noted.update(record.memory.get("study", {}))
        return noted

    def _frozen(self, record: Record, instead: float | None = None) -> FrozenTrial:
        """The trial as a sampler sees it, complete with the value `instead` of its own."""
        trial, learnt = record.trial, taught(record)
        outcome = trial.outcome
        values = list(outcome.values) if outcome and learnt is Lesson.VALUED else []
        if instead is not None:
            values = [instead]
        curve = self._curve(record) if learnt is Lesson.CUT else {}
        return optuna.trial.create_trial(
            state=TrialState.COMPLETE if values else _STATES[learnt],
            values=values or None,
            params=dict(record.point),
            distributions=self.distributions if record.point else {},
            intermediate_values=curve,
            system_attrs=dict(record.memory.get("trial", {})),
            constraints=self._constraints(record) if values else None,
        )

    def _constraints(self, record: Record) -> dict[str, float]:
        """The same keys in the same order for every trial: models take them as columns."""
        assert record.trial.outcome is not None
        measured = record.trial.outcome.constraints or (0.0,) * len(self._names)
        return dict(zip(self._names, measured, strict=True))

    def _curve(self, record: Record) -> dict[int, float]:
        """The last point that says how far it came and how well; several objectives have none."""
        metric = self._spec.objective.metric
        reported = [point for point in record.trial.curve if metric in point.metrics]
        if not reported or len(self._spec.objectives) > 1:
            return {}
        last = reported[-1]
        return {last.step: last.metrics[metric]}  # type: ignore[dict-item] # only ever compared


def _plain(value: Any, item: BaseDistribution) -> float | int:
    return float(value) if isinstance(item, optuna.distributions.FloatDistribution) else int(value)


def _direction(direction: Direction) -> StudyDirection:
    return StudyDirection.MINIMIZE if direction is Direction.MINIMIZE else StudyDirection.MAXIMIZE
