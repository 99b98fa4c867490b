"""The results of a study: written now and then, and at its end before its status tells of that."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from kubetune.adapters.kubernetes import results
from kubetune.adapters.kubernetes.api import ApiRefused, ApiUnreachable
from kubetune.adapters.kubernetes.reference import Reference
from kubetune.adapters.kubernetes.results import Files
from kubetune.adapters.kubernetes.status import ResourceSink
from kubetune.app.backoff import Backoff
from kubetune.controller.services import Services
from kubetune.domain.events import Event
from kubetune.domain.ports import StorageUnreachable
from kubetune.domain.reasons import EventReason, StudyReason
from kubetune.domain.status import StudyStatus
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Trial

log = logging.getLogger(__name__)

COST = 100
"""While a study goes on, putting its results together takes one part in so many of the time."""

TRIES = 5
"""How often a server that is busy or broken is asked, before a study's end is told without."""

_FORBIDDEN = 403

ReadTrials = Callable[[], Awaitable[tuple[Trial, ...]]]


class Results:
    """Writes the results of one study; a refusal is told once and never held against the study.

    One for the whole life of a study's loop: it knows what was written, and when.
    """

    def __init__(self, services: Services, study: Reference) -> None:
        self._services = services
        self._study = study
        self._told = ""
        self._written: object = None
        self._rest(0.0)

    def due(self, status: StudyStatus) -> bool:
        """Whether they are to be written: at the end or a pause, and now and then meanwhile."""
        if self._written == _essence(status):
            return False
        return (
            status.ended
            or status.reason is StudyReason.SUSPENDED
            or self._services.clock.monotonic() >= self._next_at
        )

    async def write(self, spec: StudySpec, status: StudyStatus, read: ReadTrials) -> str:
        """Puts the results together beside the loops, and writes them.

        Returns why that cannot be done, in words, the first time that it is for this reason. A
        server that does not answer at all is waited for: no status can be written either.
        """
        self._written = _essence(status)
        self._rest(0.0)
        try:
            files = await self._packed(spec, status, read)
            words = await self._sent(files)
        except Exception:
            log.exception("%s: its results are not written", self._study)
            words = "an unexpected error, see the operator's log"
        news = words if words != self._told else ""
        self._told = words
        if news:
            log.warning("%s: its results are not written: %s", self._study, news)
        return news

    async def _packed(self, spec: StudySpec, status: StudyStatus, read: ReadTrials) -> Files:
        """One study at a time: what it takes of the processor is taken from all loops."""
        from kubetune.report.parcel import pack  # noqa: PLC0415 - only where a study has ended

        clock, backoff = self._services.clock, Backoff()
        while True:
            try:
                trials = await read()
                break
            except StorageUnreachable:
                await _pause(backoff, clock.monotonic())
        async with self._services.packing:
            began = clock.monotonic()
            parcel = await asyncio.to_thread(pack, spec, trials, status, now=clock.now())
            seconds = clock.monotonic() - began
        self._rest(seconds)
        return Files(parcel.text, parcel.packed)

    async def _sent(self, files: Files) -> str:
        """Writes; why the server does not take it, in words."""
        clock, backoff, tries = self._services.clock, Backoff(), 0
        while True:
            try:
                await results.write(self._services.api, self._study, files)
            except ApiUnreachable as trouble:
                tries += await self._answered()
                if tries == TRIES:
                    return f"no answer: {trouble}"
            except ApiRefused as refused:
                tries += 1
                if not refused.passing or tries == TRIES:
                    return _words(refused)
            else:
                return ""
            await _pause(backoff, clock.monotonic())

    async def _answered(self) -> bool:
        """Whether the server answers something else: then it is this request that gets lost."""
        try:
            await self._services.api.request("GET", self._study.path)
        except ApiRefused:
            return True
        except ApiUnreachable:
            return False
        return True

    def _rest(self, took_seconds: float) -> None:
        least = self._services.options.results_seconds
        self._next_at = self._services.clock.monotonic() + max(least, COST * took_seconds)


class ResultsFirst:
    """The StatusSink port: a study's results, then the status that tells of its end.

    Who waits for the end finds the results. Nothing holds up a pass: they are put together and
    written beside it, and the status waits for them.
    """

    def __init__(
        self, results: Results, sink: ResourceSink, spec: StudySpec, read: ReadTrials
    ) -> None:
        self._results = results
        self._sink = sink
        self._spec = spec
        self._read = read
        self._status: StudyStatus | None = None
        self._events: tuple[Event, ...] = ()
        self._task: asyncio.Task[None] | None = None

    async def publish(self, status: StudyStatus, events: Sequence[Event]) -> None:
        """Takes the newest status and what happened; returns at once."""
        self._status = status
        self._events = (*self._events, *events)
        working = self._task is not None and not self._task.done()
        if not working and self._due():
            self._task = asyncio.create_task(self._work(), name="results")
            working = True
        if not (working and status.ended):
            await self._tell()

    async def finish(self) -> bool:
        """Waits a while for what is being written; whether nothing is left."""
        if self._task is None:
            return True
        await asyncio.wait({self._task}, timeout=5.0)
        if self._task.done():
            self._task.result()
        return self._task.done()

    async def close(self) -> None:
        """Lets go of what is not written yet."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _work(self) -> None:
        while (status := self._due()) is not None:
            if words := await self._results.write(self._spec, status, self._read):
                told = Event(EventReason.RESULTS_NOT_WRITTEN, words, warning=True)
                self._events = (*self._events, told)
        await self._tell()

    def _due(self) -> StudyStatus | None:
        """The newest status, if the results are to be written of it."""
        due = self._status is not None and self._results.due(self._status)
        return self._status if due else None

    async def _tell(self) -> None:
        assert self._status is not None
        events, self._events = self._events, ()
        await self._sink.publish(self._status, events)


def _essence(status: StudyStatus) -> object:
    """What of a status changes the results."""
    counts = status.counts
    ended = counts.total - counts.active
    return status.ended, status.reason, counts.total, ended


async def _pause(backoff: Backoff, now: float) -> None:
    backoff.failed(now)
    await asyncio.sleep(backoff.wait_seconds(now))


def _words(refused: ApiRefused) -> str:
    words = f"{refused.status} {refused.reason}: {refused.message}"
    if refused.status == _FORBIDDEN:
        words += "; the operator must create and patch configmaps"
    return words
