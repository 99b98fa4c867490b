"""What the loop sleeps on."""

import asyncio

from kubetune.app.readings import Readings
from kubetune.domain.ports import Executor


class Alarm:
    """Wakes the loop when a run changes, metrics arrive, somebody rings, or time is up.

    The executor is asked once and the question kept open: no change falls between two of them.
    """

    PATIENCE_SECONDS = 3600.0
    LEAST_SECONDS = 0.1
    """A pass that changed nothing is not repeated sooner without news: no loop ever spins."""

    def __init__(self, executor: Executor, readings: Readings) -> None:
        self._executor = executor
        self._readings = readings
        self._rung = asyncio.Event()
        self._changed: asyncio.Task[None] | None = None

    def ring(self) -> None:
        """Wakes the loop now, or as soon as it sleeps."""
        self._rung.set()

    async def sleep(self, seconds: float | None) -> None:
        """Returns at the first of its reasons; without `seconds` time is never up.

        Raises:
            Exception: what the executor raised, if it did.
        """
        if self._changed is None:
            self._changed = asyncio.create_task(self._executor.changed(self.PATIENCE_SECONDS))
        rung = asyncio.create_task(self._rung.wait())
        waits = {self._changed, rung}
        if self._readings.task:
            waits.add(self._readings.task)
        try:
            timeout = None if seconds is None else max(seconds, self.LEAST_SECONDS)
            await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            rung.cancel()
        self._rung.clear()
        if self._changed.done():
            changed, self._changed = self._changed, None
            changed.result()

    async def close(self) -> None:
        """Withdraws the question."""
        if self._changed:
            self._changed.cancel()
            await asyncio.gather(self._changed, return_exceptions=True)
            self._changed = None
