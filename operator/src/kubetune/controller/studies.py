"""The studies that are being followed: one loop each, while there is anything to do."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Any

from kubetune.controller.loop import Stop, StudyLoop
from kubetune.controller.resource import Resource

log = logging.getLogger(__name__)


class Studies:
    """Starts, wakes and ends loops. Called from the event loop's thread alone.

    A study that has ended, and whose status says so, has no loop; it gets one again when its spec
    changes, or when a Job of it is found that should be gone.
    """

    def __init__(self, begin: Callable[[Resource], StudyLoop]) -> None:
        self._begin = begin
        self._loops: dict[str, StudyLoop] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._without_loop: dict[str, str] = {}
        self._closed = False

    @property
    def without_loop(self) -> Mapping[str, str]:
        """The ended studies: the path of each by its uid."""
        return self._without_loop

    def __len__(self) -> int:
        return len(self._loops)

    def saw(self, body: Mapping[str, Any], *, leftovers: bool = False) -> None:
        """A study is there, or has changed; with `leftovers` it needs a loop even when ended."""
        resource = Resource.of(body)
        loop = self._loops.get(resource.uid)
        if resource.deleted:
            self.gone(resource.uid)
        elif loop is not None:
            loop.saw(resource)
        elif leftovers or not resource.ended:
            self._start(resource)
        else:
            self._without_loop[resource.uid] = resource.reference.path

    def gone(self, uid: str) -> None:
        """A study was deleted: its Jobs go with it, its trials are cancelled in the database."""
        self._without_loop.pop(uid, None)
        if uid in self._loops:
            self._loops[uid].stop(Stop.DELETED)

    def wake(self, uid: str) -> None:
        """A Job or pod of a study has changed."""
        if uid in self._loops:
            self._loops[uid].wake()

    def silent_seconds(self, now: float) -> float:
        """The longest that any loop has not moved, on the monotonic clock."""
        return max((loop.silent_seconds(now) for loop in self._loops.values()), default=0.0)

    async def close(self) -> None:
        """Ends every loop; trials go on, and another operator goes on with them."""
        self._closed = True
        for loop in self._loops.values():
            loop.stop(Stop.EXITING)
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    def _start(self, resource: Resource) -> None:
        if self._closed:
            return
        uid = resource.uid
        self._without_loop.pop(uid, None)
        self._loops[uid] = self._begin(resource)
        task = asyncio.create_task(self._loops[uid].run(), name=f"study {resource}")
        self._tasks[uid] = task
        task.add_done_callback(lambda done: self._ended(uid, done))

    def _ended(self, uid: str, task: asyncio.Task[None]) -> None:
        """Forgets a loop; one that broke all the same begins anew, it is a study's only one."""
        loop = self._loops.pop(uid)
        del self._tasks[uid]
        if not task.cancelled() and task.exception():
            log.error(
                "%s: its loop broke and begins anew", loop.resource, exc_info=task.exception()
            )
            self._start(loop.resource)
        elif not loop.deleted:
            self._without_loop[uid] = loop.resource.reference.path
