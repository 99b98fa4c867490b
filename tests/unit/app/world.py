"""An engine in a world of fakes."""

import asyncio
from typing import TYPE_CHECKING, Any

from kubetune.app.engine import Engine
from kubetune.domain.plan import Plan
from kubetune.domain.runs import Exit, Run
from kubetune.domain.study import StudySpec
from tests.builders import make_result, make_study
from tests.fakes.clock import FakeClock
from tests.fakes.executor import FakeExecutor
from tests.fakes.metrics import FakeMetrics
from tests.fakes.sink import FakeSink
from tests.fakes.store import FakeStore

if TYPE_CHECKING:
    from kubetune.domain.status import StudyStatus

STOPPED = Exit(code=143, message=b'{"schema": 1, "state": "Stopped"}')


class World:
    """Everything around an engine; `restart` puts a new engine into the same world."""

    def __init__(self, spec: StudySpec | None = None, *, size: int | None = None) -> None:
        self.spec = spec or make_study()
        self.clock = FakeClock()
        self.store = FakeStore(self.spec, self.clock, size=size)
        self.executor = FakeExecutor(self.clock.now)
        self.metrics = FakeMetrics()
        self.sink = FakeSink()
        self.restart()

    def restart(self, **changes: Any) -> None:
        """A new engine over the same store and executor."""
        ports: dict[str, Any] = {
            "spec": self.spec,
            "study_uid": "uid",
            "store": self.store,
            "executor": self.executor,
            "metrics": self.metrics,
            "sink": self.sink,
            "clock": self.clock,
        }
        self.engine = Engine(**(ports | changes))

    async def settle(self, passes: int = 30) -> Plan:
        """Reconciles until a pass finds nothing to do."""
        for _ in range(passes):
            plan = await self.engine.reconcile()
            if not plan.actions:
                return plan
        raise AssertionError(f"still planning {plan.actions}")

    def complete(self, run: Run, value: float) -> None:
        """Ends a run with a result."""
        self.executor.end(run, Exit(code=0, message=make_result(value)))


async def follow(task: "asyncio.Task[StudyStatus]", world: World, how: Exit | None = None) -> None:
    """Lets a running engine go on; every run that it starts ends at once."""
    while not task.done():
        for run in world.executor.alive:
            if how is None:
                world.complete(run, 0.1 * run.number)
            elif run.stopping:
                world.executor.end(run, how)
        await asyncio.sleep(0)


async def running(world: World, count: int) -> "asyncio.Task[StudyStatus]":
    """An engine at work, once so many runs are alive."""
    task = asyncio.create_task(world.engine.run())
    for _ in range(1000):
        if len(world.executor.alive) >= count:
            break
        await asyncio.sleep(0)
    return task
