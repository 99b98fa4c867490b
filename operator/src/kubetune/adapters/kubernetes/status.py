"""The status and events of a study's resource."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from kubetune.adapters.kubernetes.announcing import Announcer
from kubetune.adapters.kubernetes.api import Api
from kubetune.adapters.kubernetes.digest import Digests
from kubetune.adapters.kubernetes.pace import Pace, Sleep
from kubetune.adapters.kubernetes.reference import Reference
from kubetune.adapters.kubernetes.writing import StatusWriter, Written
from kubetune.domain.events import Event
from kubetune.domain.ports import Clock
from kubetune.domain.status import StudyStatus

log = logging.getLogger(__name__)

SOON_SECONDS = 3.0
"""A status that differs only in its active trials, such as one that begins to run, is written this
often at most: the next end of a trial takes it along."""

LIVE_SECONDS = 10.0
"""A status that differs only in how far active trials are is written this often at most."""

_LIVE = frozenset({"value", "step", "progress"})


class Render(Protocol):
    """Makes the wire form of a status; `earlier` is the one before it, for transition times."""

    def __call__(
        self,
        status: StudyStatus,
        *,
        generation: int,
        now: float,
        earlier: Mapping[str, Any],
    ) -> Mapping[str, Any]:
        """Pure; `generation` is that of the spec, `now` in Unix seconds."""


class ResourceSink:
    """The StatusSink port over one study's resource.

    `publish` only remembers: a task of its own writes the newest status as soon as it may, at most
    once in `least_seconds`, then announces the events that led to it. What cannot be written is
    tried again for ever, newest first, until the study is gone. `earlier` is the status that the
    resource had when it was read; the same one is not written again. `render` and `generation`
    speak of the spec that is followed: replace them together with the engine's.
    """

    def __init__(
        self,
        api: Api,
        study: Reference,
        render: Render,
        *,
        clock: Clock,
        generation: int,
        earlier: Mapping[str, Any] | None = None,
        least_seconds: float = 1.0,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.render = render
        self.generation = generation
        self._clock = clock
        self._writer = StatusWriter(api, study)
        self._announcer = Announcer(api, study, clock, sleep)
        self._pace = Pace(clock, sleep, seconds=least_seconds)
        self._shown: Mapping[str, Any] = earlier or {}
        self._written: Mapping[str, Any] = self._shown
        self._waiting = Digests()
        self._pressing = False
        self._stirred = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._gone = False

    @property
    def shown(self) -> Mapping[str, Any]:
        """The newest status in its wire form, written or not yet."""
        return self._shown

    @property
    def gone(self) -> bool:
        """Whether the study was found deleted: nothing is written any more."""
        return self._gone

    async def publish(self, status: StudyStatus, events: Sequence[Event]) -> None:
        """Takes the newest status and what happened; returns at once."""
        wire = self.render(
            status, generation=self.generation, now=self._clock.now(), earlier=self._shown
        )
        self.publish_raw(wire, events)

    def publish_raw(self, status: Mapping[str, Any], events: Sequence[Event] = ()) -> None:
        """Takes a status in its wire form: of a study that no engine can follow."""
        if self._gone:
            return
        before = self._patience_seconds()
        self._shown = status
        self._waiting.add(events, self._clock.now())
        if events or _news(status) != _news(self._written):
            self._pressing = True
        if self._patience_seconds() != before:
            self._stirred.set()
        if self._left and (self._task is None or self._task.done()):
            self._task = asyncio.create_task(self._work(), name="status")

    async def flush(self, timeout_seconds: float = 5.0, *, hurried: bool = True) -> bool:
        """Writes what is left; False when that took too long.

        Without further delay when `hurried`: for the end of a study's loop, to be followed by
        `close` or by another loop's `publish`. Who tries again and again does not hurry.
        """
        if hurried:
            self._pace.hurry()
        try:
            async with asyncio.timeout(timeout_seconds):
                if self._task is not None:
                    await asyncio.wait({self._task})
                await self._announcer.flush()
        except TimeoutError:
            return False
        finally:
            self._pace.relax()
        return True

    async def close(self) -> None:
        """Lets go of what is not written yet; `flush` before it to lose nothing."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._announcer.close()

    @property
    def _left(self) -> bool:
        """Whether anything is to be written or announced."""
        return not self._gone and (bool(self._waiting) or self._shown != self._written)

    async def _work(self) -> None:
        while self._left:
            self._stirred.clear()
            if self._shown != self._written:
                await self._pace.turn(self._patience_seconds(), unless=self._stirred)
                if self._stirred.is_set():
                    continue
            await self._write()

    def _patience_seconds(self) -> float | None:
        """How long after the last write the next one comes; None for as soon as one may."""
        if self._pressing:
            return None
        return LIVE_SECONDS if _essence(self._shown) == _essence(self._written) else SOON_SECONDS

    async def _write(self) -> None:
        """Writes the newest status; what led to it is announced only then."""
        status, events = self._shown, self._waiting
        self._waiting = Digests()
        self._pressing = False
        if status == self._written:
            self._announcer.announce(events)
            return
        result = await self._writer.write(status)
        if result is Written.DONE:
            self._written = status
            self._pace.succeeded()
            self._announcer.announce(events)
        elif result is Written.LATER:
            self._pace.failed()
            self._pressing = True
            events.merge(self._waiting)
            self._waiting = events
        else:
            self._gone = True
            await self._announcer.close()


def _news(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """A status without its active trials."""
    return {**status, "active": None}


def _essence(status: Mapping[str, Any]) -> Mapping[str, Any]:
    """A status without how far its active trials are."""
    active = [
        {key: value for key, value in trial.items() if key not in _LIVE}
        for trial in status.get("active", ())
    ]
    return {**status, "active": active}
