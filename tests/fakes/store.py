"""The store in memory, watched: it can go away, run out of trials, and tells what it was asked."""

from collections.abc import Sequence
from dataclasses import replace

from kubetune.domain.ports import Clock, Drawn, StorageUnreachable
from kubetune.domain.study import WHOLE_SEARCH, InitialTrial, StudySpec
from kubetune.domain.trial import Outcome, Point, Stage, Trial
from kubetune.domain.values import Assignment
from tests.fakes.memory_store import MemoryStore


class FakeStore(MemoryStore):
    """`size` bounds the space; `told` lists every tell that ended a trial; `down`: it is away.

    `elsewhere` holds all trials once another program has added some.
    """

    def __init__(self, spec: StudySpec, clock: Clock, *, size: int | None = None) -> None:
        super().__init__(spec, clock)
        self.size = size
        self.down = False
        self.told: list[int] = []
        self.calls: list[str] = []
        self.rejected: dict[str, int] = {}
        self.elsewhere: tuple[Trial, ...] = ()

    @property
    def all(self) -> tuple[Trial, ...]:
        """Every trial, whether the store is away or not."""
        return self._trials

    async def trials(self, *, anew: bool = False) -> tuple[Trial, ...]:
        if self.down:
            raise StorageUnreachable("trials")
        if anew:
            self.calls.append("trials anew")
            self._trials = (*self._trials, *self.elsewhere[len(self._trials) :])
        return await super().trials(anew=anew)

    async def draw(self, count: int, phase: str = WHOLE_SEARCH) -> Drawn:
        self._reach(f"draw {count}")
        if self.size is not None and sum(not trial.initial for trial in self.all) >= self.size:
            return Drawn(exhausted=True)
        drawn = await super().draw(count, phase)
        if not self.rejected:
            return drawn
        trials = tuple(self._put(replace(each, rejected=self.rejected)) for each in drawn.trials)
        return replace(drawn, trials=trials, rejected=self.rejected)

    async def add_initial(
        self, initial: InitialTrial, outcome: Outcome | None, phase: str = WHOLE_SEARCH
    ) -> Trial:
        self._reach(f"add {initial.name}")
        return await super().add_initial(initial, outcome, phase)

    async def add_repeat(self, of: int, stage: Stage, seed: int, parameters: Assignment) -> Trial:
        self._reach(f"repeat {of} {stage} {seed}")
        return await super().add_repeat(of, stage, seed, parameters)

    async def record(self, number: int, points: Sequence[Point]) -> None:
        self._reach(f"record {number}")
        await super().record(number, points)

    async def started(self, number: int, attempt: int, at: float) -> None:
        self._reach(f"started {number}")
        await super().started(number, attempt, at)

    async def retry(self, number: int, attempt: int, reason: str, parameters: Assignment) -> None:
        self._reach(f"retry {number}")
        await super().retry(number, attempt, reason, parameters)

    async def tell(
        self, number: int, outcome: Outcome, started_at: float | None, ended_at: float
    ) -> bool:
        self._reach(f"tell {number}")
        ended = await super().tell(number, outcome, started_at, ended_at)
        if ended:
            self.told.append(number)
        return ended

    def _reach(self, call: str) -> None:
        if self.down:
            raise StorageUnreachable(call)
        self.calls.append(call)
