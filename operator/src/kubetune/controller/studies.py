"""The studies that are being followed: one loop each, while there is anything to do."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from kubetune.adapters.kubernetes.reference import Reference
from kubetune.controller.loop import Stop, StudyLoop
from kubetune.controller.resource import Resource

log = logging.getLogger(__name__)


class Studies:
    """Starts, wakes and ends loops. Called from the event loop's thread alone.

    A study that has ended, and whose status says so, has no loop, and nothing of it is kept but
    its name. It gets a loop again when its spec changes, or when a Job of it is found that should
    be gone. `removed` is told of each study that was deleted, after its loop is over, unless
    another one has its name by then; `rests` of each that is found ended. `known` are studies that
    were there before: which of them are gone is found out.
    """

    BROKEN_SECONDS = 5.0
    """How long after a loop that broke another begins."""

    def __init__(
        self,
        begin: Callable[[Resource], StudyLoop],
        removed: Callable[[Reference], None] = lambda _: None,
        rests: Callable[[Resource], None] = lambda _: None,
        known: Mapping[str, Reference] = MappingProxyType({}),
    ) -> None:
        self._begin = begin
        self._removed = removed
        self._rests = rests
        self._loops: dict[str, StudyLoop] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._without_loop = dict(known)
        self._closed = False

    @property
    def without_loop(self) -> Mapping[str, Reference]:
        """The ended studies, by uid."""
        return self._without_loop

    @property
    def known(self) -> Mapping[str, Reference]:
        """All studies that count as existing, by uid."""
        followed = {uid: loop.resource.reference for uid, loop in self._loops.items()}
        return {**self._without_loop, **followed}

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
        elif resource.uid not in self._without_loop:
            self._without_loop[resource.uid] = resource.reference
            self._rests(resource)

    def gone(self, uid: str) -> None:
        """A study was deleted: its Jobs go with it, its trials are cancelled in the database."""
        if uid in self._loops:
            self._loops[uid].stop(Stop.DELETED)
        elif uid in self._without_loop:
            self._forget(self._without_loop.pop(uid))

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
        self._tasks[uid] = asyncio.create_task(self._keep(uid), name=f"study {resource}")

    async def _keep(self, uid: str) -> None:
        """Runs one loop after another, until one has come to an end and nothing is new."""
        try:
            while await self._again(self._loops[uid]):
                self._loops[uid] = self._begin(self._loops[uid].resource)
        finally:
            del self._tasks[uid]
            loop = self._loops.pop(uid)
            if loop.deleted:
                self._forget(loop.resource.reference)
            else:
                self._without_loop[uid] = loop.resource.reference

    def _forget(self, study: Reference) -> None:
        namesakes = (each for each in self.known.values() if each.path == study.path)
        if next(namesakes, None) is None:
            self._removed(study)

    async def _again(self, loop: StudyLoop) -> bool:
        """Runs a loop; whether its study needs another: it broke, or the spec changed just then."""
        try:
            await loop.run()
        except Exception:
            log.exception("%s: its loop broke, another begins", loop.resource)
            await loop.stopped(self.BROKEN_SECONDS)
            return not self._closed and not loop.deleted
        return loop.changed and not self._closed
