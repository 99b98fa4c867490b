"""Ended runs that are removed while passes go on: no slot waits for a deletion."""

import asyncio
from collections.abc import Awaitable, Callable

from kubetune.app.done import Done
from kubetune.domain.actions import Action, RemoveRun


class Removals:
    """Those under way, at most `at_once` at the same time, each run in one of them.

    What goes wrong with one that nobody expected is kept until `take_error` or `finish`.
    """

    def __init__(self, at_once: int) -> None:
        self._room = asyncio.Semaphore(at_once)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._error: Exception | None = None

    def __contains__(self, action: Action) -> bool:
        return isinstance(action, RemoveRun) and action.uid in self._tasks

    def begin(self, action: RemoveRun, work: Callable[[Done], Awaitable[None]]) -> None:
        """Does the work beside everything else."""

        async def remove() -> None:
            async with self._room:
                done = Done()
                await work(done)
                self._error = self._error or done.error

        task = asyncio.create_task(remove(), name=f"remove {action.uid}")
        self._tasks[action.uid] = task
        task.add_done_callback(lambda _: self._tasks.pop(action.uid, None))

    def take_error(self) -> Exception | None:
        """The first error since it was last asked for."""
        error, self._error = self._error, None
        return error

    async def finish(self) -> None:
        """Returns when none is under way.

        Raises:
            Exception: the first that nobody expected and nobody has taken.
        """
        while self._tasks:
            await asyncio.wait(self._tasks.values())
        error = self.take_error()
        if error is not None:
            raise error

    async def close(self) -> None:
        """Lets go of what is under way: another engine finds it undone."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
