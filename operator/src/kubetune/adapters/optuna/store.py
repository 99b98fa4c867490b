"""The port: one study's trials, in a database and, as they were last read or written, in memory."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from operator import is_not
from threading import Thread
from typing import TypeVar

from sqlalchemy import Connection

from kubetune.adapters.optuna import drawing, rows, seeds, turns
from kubetune.adapters.optuna.database import Database
from kubetune.adapters.optuna.description import describe, refuse_changes
from kubetune.adapters.optuna.desks import Desks, Drafts
from kubetune.adapters.optuna.drawing import encoded
from kubetune.adapters.optuna.records import Record
from kubetune.adapters.optuna.together import Together
from kubetune.domain import finalists, transitions
from kubetune.domain.coordinates import Coordinates
from kubetune.domain.ports import Clock, Drawn, StorageUnreachable
from kubetune.domain.study import WHOLE_SEARCH, InitialTrial, SamplerAlgorithm, StudySpec
from kubetune.domain.trial import Outcome, Point, Stage, Trial, TrialState
from kubetune.domain.values import Assignment

T = TypeVar("T")

_MODELS = frozenset(
    {
        SamplerAlgorithm.TPE,
        SamplerAlgorithm.GP,
        SamplerAlgorithm.CMAES,
        SamplerAlgorithm.NSGAII,
        SamplerAlgorithm.NSGAIII,
    }
)


@dataclass(frozen=True, slots=True)
class _End:
    """What `tell` was given."""

    number: int
    outcome: Outcome
    started_at: float | None
    ended_at: float


def import_early() -> None:
    """Loads Optuna on the side, half a second, before a model is first asked."""
    Thread(target=import_module, args=("kubetune.adapters.optuna.mirror",)).start()


class OptunaStore:
    """A TrialStore over an Optuna database.

    The only writer of its study, so memory is the truth between writes and `trials` costs
    nothing. Every change is one transaction. After a transaction that failed it is unknown
    whether it reached the database, so all is read again before the next. Should there be another
    writer all the same, the transaction fails of whoever has not read what the other wrote.
    """

    def __init__(self, database: Database, study_name: str, spec: StudySpec, clock: Clock) -> None:
        self._database = database
        self._name = study_name
        self._clock = clock
        self._adopt(spec)
        self._study = self._turn = 0
        self._records: list[Record] = []
        self._trials: tuple[Trial, ...] = ()
        self._certain = False
        self._warming = False
        self._ends = Together(self._write_ends)

    @classmethod
    async def open(cls, url: str, study_name: str, spec: StudySpec, clock: Clock) -> "OptunaStore":
        """Opens a study, creating database and study where they are not there.

        Raises:
            InvalidSpec: the study has trials and was another one, or its sampler cannot run here.
            StorageUnreachable: the database does not answer.
            ValueError: the URL, or the database behind it, is not usable.
        """
        database = Database.acquire(url)
        try:
            store = cls(database, study_name, spec, clock)
            await database.call(store._load)
        except BaseException:
            database.release()
            raise
        return store

    async def trials(self, *, anew: bool = False) -> tuple[Trial, ...]:
        """See TrialStore.trials; asks the database only for `anew` or after a failed write."""
        if anew or not self._certain:
            await self._database.call(self._load)
        return self._trials

    async def draw(self, count: int, phase: str = WHOLE_SEARCH) -> Drawn:
        """See TrialStore.draw; all of `count` are stored together.

        They are worked out beside the database's thread: a study that draws holds up no other
        one's writes. Should this study be written to meanwhile, they are worked out anew.
        """
        while True:
            if not self._certain:
                await self._database.call(self._load)
            before = tuple(self._records)
            drafts = await drawing.beside(partial(self._desks.draft, before, count, phase))
            drawn = await self._write(partial(self._keep_drawn, before, drafts))
            if drawn is not None:
                return drawn

    async def add_initial(
        self, initial: InitialTrial, outcome: Outcome | None, phase: str = WHOLE_SEARCH
    ) -> Trial:
        """See TrialStore.add_initial."""
        if outcome is not None:
            transitions.check_outcome(outcome, len(self._spec.objectives))
        return await self._write(lambda: self._add_initial(initial, outcome, phase))

    async def add_repeat(self, of: int, stage: Stage, seed: int, parameters: Assignment) -> Trial:
        """See TrialStore.add_repeat; no sampler learns of it."""
        return await self._write(lambda: self._add_repeat(of, stage, seed, parameters))

    async def record(self, number: int, points: Sequence[Point]) -> None:
        """See TrialStore.record; nothing is added to a trial that ended."""
        await self._write(lambda: self._record(number, tuple(points)))

    async def started(self, number: int, attempt: int, at: float) -> None:  # noqa: ARG002 - any attempt may be the first seen
        """See TrialStore.started."""
        await self._write(lambda: self._rerun(number, lambda trial: transitions.started(trial, at)))
        if not self._warming and _models(self._spec):
            self._warming = True
            import_early()

    async def retry(self, number: int, attempt: int, reason: str, parameters: Assignment) -> None:
        """See TrialStore.retry."""

        def change(trial: Trial) -> Trial:
            return transitions.retried(trial, attempt, reason, parameters)

        await self._write(lambda: self._rerun(number, change))

    async def tell(
        self, number: int, outcome: Outcome, started_at: float | None, ended_at: float
    ) -> bool:
        """See TrialStore.tell; ends that come together are stored together.

        Raises:
            ValueError: the outcome is none that a sampler could learn from; nothing is written.
        """
        transitions.check_outcome(outcome, len(self._spec.objectives))
        return await self._ends.give(_End(number, outcome, started_at, ended_at))

    async def follow(self, spec: StudySpec) -> None:
        """See TrialStore.follow; fixed values may change, and all that no draw depends on.

        Raises:
            InvalidSpec: its sampler cannot run here.
        """
        await self._database.call(lambda: self._follow(spec))

    async def close(self) -> None:
        """Lets the database go."""
        self._database.release()

    async def _write(self, work: Callable[[], T]) -> T:
        def certain() -> T:
            if not self._certain:
                self._load()
            try:
                return work()
            except StorageUnreachable:
                self._certain = False
                raise

        return await self._database.call(certain)

    def _follow(self, spec: StudySpec) -> None:
        before, after = describe(self._spec), describe(spec)
        if before != after and not self._certain:
            self._load()
        if self._records:
            refuse_changes(before, after)
        self._adopt(spec)
        self._certain &= before == after

    def _adopt(self, spec: StudySpec) -> None:
        """Draws as this study says from here on."""
        self._desks = Desks(spec, self._clock)
        self._spec, self._coordinates = spec, Coordinates(spec.space)

    def _load(self) -> None:
        """Reads the study, creating it when it is new. In the database's thread, like the rest."""
        described = describe(self._spec)

        def load(connection: Connection) -> tuple[int, int, list[Record]]:
            study = rows.find_study(connection, self._name)
            turn = turns.read_turn(connection, study.row) if study else 0
            records = rows.read_records(connection, study.row) if study else ()
            if study is None or (not records and study.description != described):
                row = rows.write_study(connection, self._name, self._spec, described)
                return row, turns.read_turn(connection, row), []
            refuse_changes(study.description, described)
            if study.description != described:
                rows.describe_study(connection, study.row, described)
            return study.row, turn, list(records)

        self._study, self._turn, self._records = self._database.transaction(load)
        self._trials = tuple(record.trial for record in self._records)
        self._certain = True

    def _keep_drawn(self, before: Sequence[Record], drafts: Drafts) -> Drawn | None:
        """Stores what was drawn; None when it was drawn from what is not so any more."""
        if len(before) != len(self._records) or any(map(is_not, before, self._records)):
            return None
        added = self._insert(drafts.records)
        return Drawn(trials=added, exhausted=drafts.exhausted, rejected=drafts.rejected)

    def _add_initial(self, initial: InitialTrial, outcome: Outcome | None, phase: str) -> Trial:
        for trial in self._trials:
            if trial.initial == initial.name:
                return trial
        number, now = len(self._records), self._clock.now()
        candidate = self._coordinates.assess(initial.parameters)
        trial = Trial(
            number=number,
            state=TrialState.RUNNING,
            parameters=candidate.parameters,
            active=candidate.active,
            seed=seeds.of_trial(self._spec, number),
            phase=phase,
            initial=initial.name,
            baseline=initial.baseline,
            created_at=now,
        )
        if outcome is not None:
            trial = transitions.ended(trial, outcome, None, now)
        record = Record(
            trial=trial,
            point=encoded(self._coordinates, candidate.parameters, candidate.active),
            drawn=candidate.parameters,
        )
        return self._insert([record])[0]

    def _add_repeat(self, of: int, stage: Stage, seed: int, parameters: Assignment) -> Trial:
        if there := finalists.run_of(self._trials, of, stage, seed):
            return there
        first = self._trials[of]
        trial = Trial(
            number=len(self._records),
            state=TrialState.RUNNING,
            parameters=parameters,
            active=first.active,
            seed=seed,
            stage=stage,
            phase=first.phase,
            repeats=of,
            created_at=self._clock.now(),
        )
        return self._insert([Record(trial=trial, drawn=parameters, outside=True)])[0]

    def _insert(self, added: Sequence[Record]) -> tuple[Trial, ...]:
        if not added:
            return ()

        def insert(connection: Connection) -> list[Record]:
            return [
                replace(record, row=rows.insert_trial(connection, self._study, self._spec, record))
                for record in added
            ]

        self._records = [*self._records, *self._change(insert)]
        self._trials = tuple(record.trial for record in self._records)
        return self._trials[-len(added) :]

    def _record(self, number: int, points: tuple[Point, ...]) -> None:
        record = self._records[number]
        fresh = transitions.new_points(record.trial, points)
        if not fresh:
            return
        trial = transitions.extended(record.trial, fresh)
        longer = replace(record, trial=trial, arrived=(*record.arrived, *fresh))
        metric = self._spec.objective.metric
        self._change(lambda it: rows.write_points(it, longer, fresh, metric))
        self._keep(longer)

    def _rerun(self, number: int, change: Callable[[Trial], Trial]) -> None:
        record = self._records[number]
        trial = change(record.trial)
        if trial is record.trial:
            return
        first = record.trial.attempt == 1 and record.trial.started_at is None
        anew = bool(record.trial.curve) and not trial.curve
        changed = replace(
            record, trial=trial, skipped=len(record.arrived) if anew else record.skipped
        )
        self._change(lambda it: rows.write_run(it, changed, first=first))
        self._keep(changed)

    async def _write_ends(self, ends: Sequence[_End]) -> Sequence[bool]:
        return await self._write(lambda: self._tell(ends))

    def _tell(self, ends: Sequence[_End]) -> list[bool]:
        """Ends trials in one transaction; of each whether it had not ended before."""
        fresh: dict[int, Record] = {}
        told = []
        for end in ends:
            record = self._records[end.number]
            told.append(end.number not in fresh and not record.trial.state.ended)
            if told[-1]:
                trial = transitions.ended(record.trial, end.outcome, end.started_at, end.ended_at)
                fresh[end.number] = replace(record, trial=trial)
        if fresh:
            self._change(lambda it: self._update_ends(it, fresh.values()))
            for record in fresh.values():
                self._keep(record)
        return told

    def _update_ends(self, connection: Connection, records: Iterable[Record]) -> None:
        for record in records:
            rows.write_end(connection, record.row, self._spec, record.trial)

    def _change(self, write: Callable[[Connection], T]) -> T:
        """One transaction that changes the study, unless another program did."""

        def change(connection: Connection) -> T:
            turns.take_turn(connection, self._study, self._turn)
            return write(connection)

        answer = self._database.transaction(change)
        self._turn += 1
        return answer

    def _keep(self, record: Record) -> None:
        number = record.trial.number
        self._records[number] = record
        self._trials = (*self._trials[:number], record.trial, *self._trials[number + 1 :])


def _models(spec: StudySpec) -> bool:
    """Whether some phase's draws need Optuna."""
    return any(phase.sampler.algorithm in _MODELS for phase in spec.course)
