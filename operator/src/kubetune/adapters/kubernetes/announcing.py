"""Tells of what happened without ever holding anything up."""

import asyncio
import logging

from kubetune.adapters.kubernetes.api import Api, ApiRefused, ApiUnreachable
from kubetune.adapters.kubernetes.digest import Digests, Notice
from kubetune.adapters.kubernetes.events import EventLog
from kubetune.adapters.kubernetes.pace import Pace, Sleep
from kubetune.adapters.kubernetes.reference import Reference
from kubetune.domain.ports import Clock

log = logging.getLogger(__name__)

TRIES = 3
"""How often one event is tried before it is dropped."""

BURST, SECONDS = 20, 15.0
"""So many events follow each other at once; a busy study goes on with one in so many seconds."""


class Announcer:
    """Writes events in the background, few and readable.

    A slow study's events are written one by one, at once. A busy study spends its burst; then what
    happens gathers in one digest a reason until the next may be written: nothing is lost and
    nothing grows. What befalls the study itself, its end for one, is told at once with all that led
    to it. An event that cannot be written is dropped after a few tries.
    """

    def __init__(self, api: Api, study: Reference, clock: Clock, sleep: Sleep) -> None:
        self._log = EventLog(api, study)
        self._study = study
        self._pace = Pace(clock, sleep, seconds=SECONDS, burst=BURST)
        self._due = Digests()
        self._task: asyncio.Task[None] | None = None

    def announce(self, digests: Digests) -> None:
        """Takes what happened; returns at once."""
        if not digests:
            return
        if any(digest.of_study for digest in digests):
            self._pace.hurry()
        self._due.merge(digests)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name="events")

    async def flush(self) -> None:
        """Writes all that is left, now."""
        self._pace.hurry()
        if self._task is not None:
            await asyncio.wait({self._task})

    async def close(self) -> None:
        """Drops what is not written yet."""
        self._due = Digests()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        while self._due:
            await self._pace.turn()
            await self._tell(self._due.pop())
        self._pace.relax()

    async def _tell(self, notice: Notice) -> None:
        for left in reversed(range(TRIES)):
            try:
                await self._log.write(notice)
            except (ApiUnreachable, ApiRefused) as error:
                self._pace.failed()
                lasting = isinstance(error, ApiRefused) and not error.passing
                if lasting or not left:
                    words = "%s: the event '%s' is dropped: %s"
                    log.warning(words, self._study, notice.message, error)
                    return
            else:
                self._pace.succeeded()
                return
            await self._pace.turn()
