"""When Jobs appear and their pods end, as one watcher sees it for us and for the floor alike."""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from bench.cluster_client import Client

PATIENCE_SECONDS = 120.0
"""Something moves sooner than that, or nothing ever will."""

_OVER = ("Succeeded", "Failed")


class Watcher:
    """Two watches of one namespace that was empty when they began.

    `created` and `ended` are in order of time, by `time.monotonic`: of Jobs, and of their pods.
    """

    def __init__(self, client: Client, namespace: str) -> None:
        self.created: dict[str, float] = {}
        self.ended: dict[str, float] = {}
        self.on_end: Callable[[], None] = lambda: None
        self._client = client
        self._namespace = namespace
        self._moved = asyncio.Event()
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    async def __aenter__(self) -> Self:
        """Begins to watch."""
        self._tasks = (asyncio.create_task(self._jobs()), asyncio.create_task(self._pods()))
        await asyncio.sleep(0.5)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Ends the watches; an error of theirs is raised."""
        for task in self._tasks:
            task.cancel()
        for found in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(found, Exception):
                raise found

    async def until(self, done: Callable[[], bool], what: str) -> None:
        """Returns when it holds; it is asked after every event.

        Raises:
            TimeoutError: nothing has moved for long.
            RuntimeError: a watch has ended.
        """
        while not done():
            self._moved.clear()
            try:
                await asyncio.wait_for(self._moved.wait(), PATIENCE_SECONDS)
            except TimeoutError:
                words = f"{len(self.created)} Jobs, {len(self.ended)} ended pods"
                raise TimeoutError(f"waited in vain for {what}: {words}") from None
            for task in self._tasks:
                if task.done():
                    task.result()
                    raise RuntimeError("a watch has ended")

    async def pause(self, seconds: float) -> None:
        """Waits while the watches go on."""
        await asyncio.sleep(seconds)

    def turnarounds(self, parallelism: int) -> list[float]:
        """Seconds from each pod's end to the Job that took its slot."""
        successors = sorted(self.created.values())[parallelism:]
        ends = sorted(self.ended.values())
        return [begun - ended for ended, begun in zip(ends, successors, strict=False)]

    def trials_a_second(self) -> float:
        """Over the whole run, from the first Job to the last end."""
        seconds = max(self.ended.values()) - min(self.created.values())
        return len(self.ended) / seconds

    async def _jobs(self) -> None:
        path = f"/apis/batch/v1/namespaces/{self._namespace}/jobs"
        async for kind, job in self._client.watch(path):
            if kind == "ADDED":
                self.created.setdefault(job["metadata"]["name"], time.monotonic())
                self._moved.set()

    async def _pods(self) -> None:
        path = f"/api/v1/namespaces/{self._namespace}/pods"
        async for _, pod in self._client.watch(path):
            name = pod["metadata"]["labels"]["job-name"]
            if pod["status"].get("phase") in _OVER and name not in self.ended:
                self.ended[name] = time.monotonic()
                self.on_end()
                self._moved.set()
