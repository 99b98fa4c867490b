"""A store that says how long its draws take."""

from collections.abc import Callable, Sequence

from kubetune.domain.ports import Clock, Drawn, TrialStore
from kubetune.domain.study import WHOLE_SEARCH, InitialTrial, StudySpec
from kubetune.domain.trial import Outcome, Point, Stage, Trial
from kubetune.domain.values import Assignment


class TimedStore:
    """The TrialStore port over another; `on_draw` is told of each draw's seconds, storing included.

    A draw that raised is not told of: how long it took says nothing of drawing.
    """

    def __init__(self, store: TrialStore, clock: Clock, on_draw: Callable[[float], None]) -> None:
        self._store = store
        self._clock = clock
        self._on_draw = on_draw

    async def trials(self, *, anew: bool = False) -> tuple[Trial, ...]:
        """See TrialStore.trials."""
        return await self._store.trials(anew=anew)

    async def draw(self, count: int, phase: str = WHOLE_SEARCH) -> Drawn:
        """See TrialStore.draw."""
        began = self._clock.monotonic()
        drawn = await self._store.draw(count, phase)
        self._on_draw(self._clock.monotonic() - began)
        return drawn

    async def add_initial(
        self, initial: InitialTrial, outcome: Outcome | None, phase: str = WHOLE_SEARCH
    ) -> Trial:
        """See TrialStore.add_initial."""
        return await self._store.add_initial(initial, outcome, phase)

    async def add_repeat(self, of: int, stage: Stage, seed: int, parameters: Assignment) -> Trial:
        """See TrialStore.add_repeat."""
        return await self._store.add_repeat(of, stage, seed, parameters)

    async def record(self, number: int, points: Sequence[Point]) -> None:
        """See TrialStore.record."""
        await self._store.record(number, points)

    async def started(self, number: int, attempt: int, at: float) -> None:
        """See TrialStore.started."""
        await self._store.started(number, attempt, at)

    async def retry(self, number: int, attempt: int, reason: str, parameters: Assignment) -> None:
        """See TrialStore.retry."""
        await self._store.retry(number, attempt, reason, parameters)

    async def tell(
        self, number: int, outcome: Outcome, started_at: float | None, ended_at: float
    ) -> bool:
        """See TrialStore.tell."""
        return await self._store.tell(number, outcome, started_at, ended_at)

    async def follow(self, spec: StudySpec) -> None:
        """See TrialStore.follow."""
        await self._store.follow(spec)

    async def close(self) -> None:
        """See TrialStore.close."""
        await self._store.close()
