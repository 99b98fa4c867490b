"""An executor of runs that exist only in memory and end when the test says so."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum, auto

from kubetune.domain.ports import ExecutorUnreachable, LaunchOrder
from kubetune.domain.reasons import TrialReason
from kubetune.domain.runs import Exit, Run, RunState


class Away(Enum):
    """Whether the place where the runs are answers."""

    NO = auto()
    YES = auto()
    LOST = auto()


class FakeExecutor:
    """The Executor port; its runs outlive any engine, as processes and Jobs do.

    `delayed`: a launched run is not seen by `runs` until `appear` is called.
    `refuse`: called with each order before it is launched; may raise.
    `together`: so many launches are answered only together.
    `removing`: removals are answered once it is set.
    `away`: nothing that changes runs is answered; LOST, it is done all the same.
    """

    def __init__(self, now: Callable[[], float], *, capacity: int | None = None) -> None:
        self.capacity = capacity
        self.delayed = False
        self.refuse: Callable[[LaunchOrder], None] | None = None
        self.together: asyncio.Barrier | None = None
        self.removing: asyncio.Event | None = None
        self.away = Away.NO
        self.orders: list[LaunchOrder] = []
        self.hidden: set[str] = set()
        self.calls: list[str] = []
        self._now = now
        self._runs: dict[str, Run] = {}
        self._changed = asyncio.Event()
        self._uids = 0
        self._checkpoints: set[int] = set()

    async def runs(self) -> tuple[Run, ...]:
        return tuple(run for run in self._runs.values() if run.uid not in self.hidden)

    async def launch(self, order: LaunchOrder) -> None:
        trial = order.trial
        if self.together:
            await self.together.wait()
        with self._answering(f"launch {trial.number}.{trial.attempt}"):
            self._launch(order)

    def _launch(self, order: LaunchOrder) -> None:
        trial = order.trial
        if self.refuse:
            self.refuse(order)
        if any((run.number, run.attempt) == (trial.number, trial.attempt) for run in self.all):
            return
        self.orders.append(order)
        self.add(trial.number, trial.attempt)

    async def stop(self, number: int, attempt: int, uid: str, why: str) -> None:
        with self._answering(f"stop {number}.{attempt}"):
            run = self._runs.get(uid)
            if run and run.state is not RunState.ENDED:
                self._put(replace(run, stopping=True))

    async def remove(self, number: int, attempt: int, uid: str) -> None:
        if self.removing:
            await self.removing.wait()
        with self._answering(f"remove {number}.{attempt}"):
            run = self._runs.get(uid)
            if run and run.state is RunState.ENDED:
                del self._runs[uid]

    async def checkpoints(self) -> frozenset[int]:
        """The trials that were launched, less those dropped."""
        return frozenset(self._checkpoints)

    async def drop_checkpoint(self, number: int) -> None:
        """Forgets one."""
        self._checkpoints.discard(number)

    async def changed(self, timeout_seconds: float) -> None:
        try:
            await asyncio.wait_for(self._changed.wait(), timeout_seconds)
        except TimeoutError:
            return
        self._changed.clear()

    async def close(self) -> None:
        for run in self.alive:
            self.end(run, Exit(code=137))

    @property
    def all(self) -> tuple[Run, ...]:
        """Every run, hidden ones too."""
        return tuple(self._runs.values())

    @property
    def alive(self) -> tuple[Run, ...]:
        """Every run that has not ended, hidden ones too."""
        return tuple(run for run in self.all if run.state is not RunState.ENDED)

    def add(self, number: int, attempt: int) -> Run:
        """Makes a run appear, launched or not."""
        self._uids += 1
        run = Run(
            number=number,
            attempt=attempt,
            uid=f"uid-{self._uids}",
            state=RunState.RUNNING,
            started_at=self._now(),
        )
        if self.delayed:
            self.hidden.add(run.uid)
        self._checkpoints.add(number)
        self._put(run)
        return run

    def appear(self) -> None:
        """Shows every hidden run."""
        self.hidden.clear()
        self._changed.set()

    def end(self, run: Run, how: Exit) -> None:
        """Ends a run; what it was when the test looked may be old."""
        newest = self._runs[run.uid]
        self._put(replace(newest, state=RunState.ENDED, ended_at=self._now(), exit=how))

    def stick(self, run: Run, reason: TrialReason) -> None:
        """Makes a run wait to start: stuck for this reason, in a queue with NONE."""
        newest = self._runs[run.uid]
        since = None if reason is TrialReason.NONE else self._now()
        waits = replace(newest, state=RunState.PENDING, started_at=None, waiting="no room")
        self._put(replace(waits, stuck=reason, stuck_since=since))

    def vanish(self, run: Run) -> None:
        """Takes a run away without a trace."""
        del self._runs[run.uid]
        self._changed.set()

    def find(self, number: int) -> Run:
        """The newest run of a trial."""
        return max((run for run in self.all if run.number == number), key=lambda run: run.attempt)

    @contextmanager
    def _answering(self, call: str) -> Iterator[None]:
        self.calls.append(call)
        if self.away is Away.YES:
            raise ExecutorUnreachable(call)
        yield
        if self.away is Away.LOST:
            raise ExecutorUnreachable(call)

    def _put(self, run: Run) -> None:
        self._runs[run.uid] = run
        self._changed.set()
