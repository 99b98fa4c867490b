"""One study's loop: from its resource to an engine that turns, and again when the spec changes."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from enum import Enum, auto

from kubetune.adapters.kubernetes.api import ApiRefused, ApiUnreachable
from kubetune.app.backoff import Backoff
from kubetune.controller.following import Following
from kubetune.controller.resource import Resource
from kubetune.controller.services import Services
from kubetune.domain.ports import StorageUnreachable

log = logging.getLogger(__name__)


class Stop(Enum):
    """Why a loop is to end before its study has."""

    EXITING = auto()
    DELETED = auto()


class StudyLoop:
    """Follows one study until it has ended, is deleted, or the operator exits.

    Nothing is kept here that a restart would need. A changed spec begins the study's work anew:
    what stands in the database and in the cluster is found again. Whatever goes wrong is logged,
    shown where it can be, and tried again: a loop never dies of an error.
    """

    CANCEL_TRIES = 5
    """How often the trials of a deleted study are to be cancelled, before it is left."""

    def __init__(self, resource: Resource, services: Services) -> None:
        self.resource = resource
        self._services = services
        self._following = Following(resource, services, lambda: self.stop(Stop.DELETED))
        self._changed = asyncio.Event()
        self._stopped = asyncio.Event()
        self._stop: Stop | None = None
        self._backoff = Backoff()

    def saw(self, resource: Resource) -> None:
        """Takes a newer state; a newer generation begins the work anew, an older one is left."""
        newer = resource.generation - self.resource.generation
        if newer >= 0:
            self.resource = resource
        if newer > 0:
            self._changed.set()

    def wake(self) -> None:
        """A Job or pod of the study has changed."""
        self._following.wake()

    def stop(self, why: Stop) -> None:
        """Ends the loop; `run` returns soon after."""
        self._stop = self._stop or why
        self._changed.set()
        self._stopped.set()

    async def stopped(self, timeout_seconds: float) -> None:
        """Returns once the loop is told to stop, or after the timeout."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopped.wait(), timeout_seconds)

    @property
    def deleted(self) -> bool:
        """Whether the study is gone."""
        return self._stop is Stop.DELETED

    @property
    def changed(self) -> bool:
        """Whether the spec has changed since the work last began."""
        return self._stop is None and self._changed.is_set()

    def silent_seconds(self, now: float) -> float:
        """How long nothing has moved in here, on the monotonic clock; 0 while it rightly waits."""
        return self._following.silent_seconds(now)

    async def run(self) -> None:
        """Turns until there is nothing more to do."""
        try:
            while self._stop is None:
                self._changed.clear()
                if await self._until_changed(self._turn(self.resource)):
                    break
            if self._stop is Stop.DELETED:
                await self._cancel_trials()
        finally:
            await self._following.close()

    async def _turn(self, resource: Resource) -> bool:
        """Follows one generation to its end; True when its status tells of it."""
        clock = self._services.clock
        began = clock.monotonic()
        try:
            if await self._following.follow(resource):
                return True
        except (StorageUnreachable, ApiUnreachable, ApiRefused) as trouble:
            log.warning("%s: %s; tried again", resource, trouble)
        except Exception:
            log.exception("%s: an unexpected error; tried again", resource)
        else:
            await self._following.rest()
            return False
        if clock.monotonic() - began > Backoff.LIMIT_SECONDS:
            self._backoff.succeeded()
        self._services.exporter.loop_failed(resource.namespace, resource.name)
        await asyncio.sleep(self._pause_seconds())
        return False

    async def _cancel_trials(self) -> None:
        """Nobody comes back to a deleted study, so what cannot be done now is not done."""
        for left in reversed(range(self.CANCEL_TRIES)):
            try:
                await self._following.cancel_trials()
            except StorageUnreachable as trouble:
                if left:
                    await asyncio.sleep(self._pause_seconds())
                else:
                    words = "%s: deleted; its last trials stay Running in the database: %s"
                    log.warning(words, self.resource, trouble)
            else:
                return

    def _pause_seconds(self) -> float:
        now = self._services.clock.monotonic()
        self._backoff.failed(now)
        return self._backoff.wait_seconds(now)

    async def _until_changed(self, work: Coroutine[None, None, bool]) -> bool:
        """The work's answer; False when something else is to be done before it came."""
        task = asyncio.create_task(work, name=f"study {self.resource}")
        changed = asyncio.create_task(self._changed.wait())
        try:
            await asyncio.wait({task, changed}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            finished = task.done()
            task.cancel()
            changed.cancel()
            await asyncio.gather(task, changed, return_exceptions=True)
        return finished and not self._changed.is_set() and task.result()
