"""What following one study takes: its engine, and everything that the engine stands on."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kubetune.adapters.kubernetes.executor import KubernetesExecutor
from kubetune.adapters.kubernetes.names import job_name
from kubetune.adapters.kubernetes.status import ResourceSink
from kubetune.adapters.prometheus.source import PrometheusSource
from kubetune.api import admission
from kubetune.api import status as wire
from kubetune.app.cancelling import cancel_all
from kubetune.app.engine import Engine
from kubetune.app.timed_store import TimedStore
from kubetune.app.warm import warmed
from kubetune.controller.admitting import Admitted, TemplateRefused, admit
from kubetune.controller.no_metrics import NoMetrics
from kubetune.controller.resource import Resource
from kubetune.controller.results import Results, ResultsFirst
from kubetune.controller.services import Services
from kubetune.domain.events import Event
from kubetune.domain.faults import InvalidSpec
from kubetune.domain.ports import MetricSource, StorageUnreachable, TrialStore
from kubetune.domain.reasons import EventReason
from kubetune.domain.status import StudyStatus
from kubetune.domain.study import StudySpec
from kubetune.domain.warm_start import Earlier

AT_ONCE = 16
"""So many Jobs of one study are created or deleted at the same time: half of the connections."""


class Following:
    """Takes a study from its manifest to its end, one generation at a time.

    `follow` may be cancelled at any moment and called again. Between two calls only the sink lives
    on, which knows what was written last. `on_gone` is told when the study turns out to be deleted:
    a watch that begins anew misses deletions.
    """

    def __init__(self, resource: Resource, services: Services, on_gone: Callable[[], None]) -> None:
        self._services = services
        self._on_gone = on_gone
        self._resource = resource
        self._admitted: Admitted | None = None
        self._executor: KubernetesExecutor | None = None
        self._metrics: MetricSource | None = None
        self._results = Results(services, resource.reference)
        self._shown: ResultsFirst | None = None
        self._moved_at = services.clock.monotonic()
        self._woken_at: float | None = None
        self._resting = False
        self._rest_seconds: float | None = None
        self._sink = ResourceSink(
            services.api,
            resource.reference,
            self._render,
            clock=services.clock,
            generation=resource.generation,
            earlier=resource.status,
        )

    def wake(self) -> None:
        """A Job or pod of the study has changed."""
        if self._executor:
            if self._woken_at is None:
                self._woken_at = self._services.clock.monotonic()
            self._executor.wake()

    def silent_seconds(self, now: float) -> float:
        """How long nothing has moved; 0 while it rests until its spec changes."""
        return 0.0 if self._resting else now - self._moved_at

    async def follow(self, resource: Resource) -> bool:
        """Follows one generation as far as it goes; True when it has ended and its status says so.

        Raises:
            StorageUnreachable, ApiUnreachable, ApiRefused: to be tried again later.
        """
        self._resource = resource
        self._rest_seconds = None
        self._sink.generation = resource.generation
        self._move()
        try:
            self._admitted = await admit(resource, self._services)
            self._move()
            store = await self._open_known(self._admitted.spec)
        except InvalidSpec as refused:
            self._refuse(refused)
            return False
        except StorageUnreachable as trouble:
            self._lose_storage(trouble)
            raise
        try:
            ended = (await self._tune(await self._warmed(store), store)).ended
        except InvalidSpec as refused:
            self._refuse(refused)
            return False
        finally:
            self._executor = self._metrics = None
            await store.close()
        return ended and await self._told()

    async def rest(self) -> None:
        """Waits: there is nothing to do until the spec changes.

        What the API server refused it is asked again later: a policy may have changed.
        """
        self._resting = True
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._rest_seconds):
                    await asyncio.Event().wait()
        finally:
            self._resting = False
            self._move()

    async def cancel_trials(self) -> None:
        """The study was deleted, and its Jobs with it: its history keeps no trial that runs.

        Raises:
            StorageUnreachable: not now; call again.
        """
        self._move()
        verdict = await asyncio.to_thread(admission.check, self._resource.manifest)
        spec = self._admitted.spec if self._admitted else verdict.spec
        if spec is None:
            return
        try:
            store = await self._open(spec)
        except InvalidSpec:
            return
        try:
            await cancel_all(store, self._services.clock)
        finally:
            await store.close()

    async def close(self) -> None:
        """Writes what is left to say, within a bounded time."""
        await self._sink.flush()
        await self._sink.close()

    async def publish(self, status: StudyStatus, events: Sequence[Event]) -> None:
        """The StatusSink port: the same status for the resource and for Prometheus."""
        resource, admitted = self._resource, self._admitted
        metric = admitted.spec.objective.metric if admitted else ""
        self._services.exporter.publish(
            resource.namespace, resource.name, status, events, metric=metric
        )
        await (self._shown or self._sink).publish(status, events)

    async def _told(self) -> bool:
        """Whether the status says that the study has ended; not before it is written.

        A loop that went earlier would take the study's end with it.
        """
        hurried = True
        while not await self._sink.flush(hurried=hurried):
            hurried = False
            self._move()
        if self._sink.gone:
            self._on_gone()
        return not self._sink.gone

    async def _tune(self, spec: StudySpec, store: TrialStore) -> StudyStatus:
        """Runs the engine; the results are written when it is through."""
        self._shown = ResultsFirst(self._results, self._sink, spec, store.trials)
        try:
            status = await self._turned(spec, store)
            while not await self._shown.finish():
                self._move()
        finally:
            await self._shown.close()
            self._shown = None
        return status

    async def _turned(self, spec: StudySpec, store: TrialStore) -> StudyStatus:
        services, resource = self._services, self._resource
        self._executor = KubernetesExecutor(
            services.api,
            resource.owner,
            services.view,
            services.clock,
            on_start=services.exporter.started,
        )
        self._metrics = self._source(spec)
        engine = Engine(
            spec=spec,
            study_uid=resource.uid,
            store=store,
            executor=self._executor,
            metrics=self._metrics,
            sink=self,
            clock=services.clock,
            resync_seconds=services.options.resync_seconds,
            on_pass=self._passed,
            at_once=AT_ONCE,
        )
        return await engine.run()

    def _source(self, spec: StudySpec) -> MetricSource:
        if self._services.poller is None:
            return NoMetrics()
        resource = self._resource
        return PrometheusSource(
            self._services.poller,
            study_uid=resource.uid,
            namespace=resource.namespace,
            job_name=lambda number, attempt: job_name(resource.name, resource.uid, number, attempt),
            clock=self._services.clock,
            queries=spec.metric_queries,
        )

    def _passed(self, seconds: float) -> None:
        """A pass is over; what woke the loop during it is for the next one."""
        self._move()
        exporter, resource = self._services.exporter, self._resource
        exporter.reconciled(resource.namespace, resource.name, seconds)
        began = self._moved_at - seconds
        if self._woken_at is not None and self._woken_at <= began:
            exporter.woke(began - self._woken_at)
            self._woken_at = None
        if self._sink.gone:
            self._on_gone()

    def _move(self) -> None:
        self._moved_at = self._services.clock.monotonic()

    async def _open_known(self, spec: StudySpec) -> TrialStore:
        """The store, unless it has no trial of a study whose status counts some.

        Another database was told of them: to follow the study with this one would stop the trials
        that run, and draw all of them anew.
        """
        store = await self._open(spec)
        told = self._sink.shown.get("trials", {}).get("total", 0)
        known = False
        try:
            known = not told or bool(await store.trials())
        finally:
            if not known:
                await store.close()
        if not known:
            raise StorageUnreachable(_unknown(told))
        return store

    async def _warmed(self, store: TrialStore) -> StudySpec:
        """The study with what earlier ones of its namespace found; the status says what that was.

        Raises:
            InvalidSpec: there is no such study, or it had other objectives.
        """
        assert self._admitted is not None

        async def read(name: str) -> Earlier | None:
            return await self._services.read_earlier(f"{self._resource.namespace}/{name}")

        spec, said = await warmed(self._admitted.spec, store, read)
        warnings = (*self._admitted.warnings, *said)
        self._admitted = replace(self._admitted, spec=spec, warnings=warnings)
        return spec

    async def _open(self, spec: StudySpec) -> TrialStore:
        services, resource = self._services, self._resource
        name = f"{resource.namespace}/{resource.name}/{resource.uid}"
        store = await services.open_store(name, spec)
        return TimedStore(store, services.clock, services.exporter.drawn)

    def _render(
        self, status: StudyStatus, *, generation: int, now: float, earlier: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        assert self._admitted is not None
        warned = getattr(self._metrics, "messages", ())
        return wire.status_of(
            status,
            spec=self._admitted.spec,
            uid=self._resource.uid,
            generation=generation,
            now=now,
            earlier=earlier,
            feasible_share=self._admitted.feasible_share,
            messages=(*self._admitted.warnings, *warned),
        )

    def _refuse(self, refused: InvalidSpec) -> None:
        resource, now = self._resource, self._services.clock.now()
        status = wire.invalid_status(
            refused.faults, generation=resource.generation, now=now, earlier=self._sink.shown
        )
        if isinstance(refused, TemplateRefused):
            self._rest_seconds = self._services.options.resync_seconds
        told = Event(EventReason.INVALID_SPEC, str(refused), warning=True)
        self._show(status, *([told] if status != self._sink.shown else ()))

    def _lose_storage(self, trouble: StorageUnreachable) -> None:
        now = self._services.clock.now()
        status = wire.storageless_status(
            str(trouble), generation=self._resource.generation, now=now, earlier=self._sink.shown
        )
        self._show(status)

    def _show(self, status: Mapping[str, Any], *events: Event) -> None:
        """What stands without an engine, for the resource and for Prometheus."""
        resource = self._resource
        self._services.exporter.recall(
            resource.namespace,
            resource.name,
            status,
            metric=resource.metric,
            drawn=resource.drawn,
        )
        self._sink.publish_raw(status, events)


def _unknown(told: int) -> str:
    return (
        f"storage: this database has no trial of the study, its status counts {told}: start the "
        "operator with the database that has them, or delete the study and make it anew"
    )
