"""The operator as a whole: what is opened at its start, looked after, and closed at its end."""

import asyncio
import contextlib
import logging
import os
import socket

from kubetune.adapters.kubernetes.api import Api, ApiRefused, ApiUnreachable
from kubetune.adapters.kubernetes.lease import Lease
from kubetune.adapters.kubernetes.reference import Reference
from kubetune.adapters.optuna.database import Database
from kubetune.adapters.optuna.history import read_earlier
from kubetune.adapters.optuna.store import OptunaStore
from kubetune.adapters.prometheus.client import PrometheusClient
from kubetune.adapters.prometheus.credentials import Credentials
from kubetune.adapters.prometheus.exporter import Exporter
from kubetune.adapters.prometheus.poller import Poller
from kubetune.app.clock import SystemClock
from kubetune.controller import ground
from kubetune.controller.health import Health
from kubetune.controller.loop import StudyLoop
from kubetune.controller.options import Options
from kubetune.controller.resource import Resource
from kubetune.controller.services import Services
from kubetune.controller.studies import Studies
from kubetune.controller.sweep import Sweep
from kubetune.controller.view import IndexView
from kubetune.domain.ports import StorageUnreachable, TrialStore
from kubetune.domain.study import StudySpec
from kubetune.domain.warm_start import Earlier

log = logging.getLogger(__name__)

GROUND_SECONDS = 2.0
"""How often it is looked whether there is something to watch by now."""


LOST_LEASE = 3
"""The exit code of an operator that another one has replaced."""


class Unusable(Exception):  # noqa: N818 - named by what it says of the options
    """The operator cannot run like this, however often it is started; the message says why."""


class Operator:
    """Opened once; follows studies from `watch` until `rest`, as often as Kopf begins anew."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.studies = Studies(self._begin)
        self.identity = f"{os.environ.get('POD_NAME') or socket.gethostname()}-{os.getpid()}"
        self._clock = SystemClock()
        self._exporter = Exporter()
        self._health = Health(self.sick, lambda: self._waits)
        self._waits = "starting"
        self._api: Api | None = None
        self._poller: Poller | None = None
        self._database: Database | None = None
        self._services: Services | None = None
        self._sweeping: asyncio.Task[None] | None = None
        self._lease: Lease | None = None
        self._keeping: asyncio.Task[str] | None = None

    async def open(self) -> None:
        """Takes its ports, and connects to what every study needs.

        Raises:
            Unusable: with a sentence for whoever started it.
        """
        options = self.options
        try:
            self._exporter.serve(options.metrics_address)
        except OSError as error:
            raise Unusable(_taken("--metrics-address", options.metrics_address, error)) from error
        try:
            await self._health.serve(options.health_address)
        except OSError as error:
            raise Unusable(_taken("--health-address", options.health_address, error)) from error
        await self._open_database()
        try:
            self._api = await Api.connect(on_request=self._exporter.requested)
        except ApiUnreachable as error:
            raise Unusable(str(error)) from error
        if options.prometheus:
            credentials = Credentials.from_environment(os.environ)
            self._poller = Poller(PrometheusClient(options.prometheus, credentials))

    async def elected(self) -> None:
        """Returns once no other operator tunes; at once where there is no lease.

        From then on the process ends at the moment in which it loses the lease, without last words:
        another one tunes already, and nothing is lost by a kill.

        Raises:
            Unusable: it may not have leases.
        """
        if self.options.lease is None:
            return
        assert self._api is not None
        self._waits = ""
        namespace, name = self.options.lease
        self._lease = Lease(
            self._api, namespace, name, identity=self.identity, seconds=self.options.lease_seconds
        )
        try:
            await self._lease.acquire()
        except ApiRefused as error:
            raise Unusable(f"--lease {namespace}/{name}: {error.message}") from error
        log.info("holds %s", self._lease)
        self._waits = "not watching yet"
        self._keeping = asyncio.create_task(self._lease.keep(), name="lease")
        self._keeping.add_done_callback(_end_without_lease)

    async def grounded(self) -> None:
        """Returns once the API server lets us watch; each thing that is missing is said once."""
        assert self._api is not None
        while words := await ground.missing(self._api, self.options.namespaces):
            if words != self._waits:
                log.warning("waiting: %s", words)
            self._waits = words
            await asyncio.sleep(GROUND_SECONDS)
        self._waits = "not watching yet"

    def watch(self, view: IndexView) -> None:
        """Follows the studies that are handed to `studies` from now on."""
        assert self._api is not None
        self._services = Services(
            options=self.options,
            api=self._api,
            view=view,
            exporter=self._exporter,
            poller=self._poller,
            open_store=self._open_store,
            read_earlier=self._read_earlier,
            clock=self._clock,
        )
        self.studies = Studies(self._begin, self._removed, self._rests, self.studies.known)
        sweep = Sweep(self.studies, view, self._api).run(self.options.resync_seconds)
        self._sweeping = asyncio.create_task(sweep, name="sweep")
        self._waits = ""
        self._exporter.role(watching=True)
        log.info("ready")

    async def rest(self) -> None:
        """Ends the loops, each with its last words, in bounded time; trials go on."""
        self._waits = "not watching"
        self._exporter.role(watching=False)
        if self._sweeping:
            self._sweeping.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.options.exit_seconds):
                await self.studies.close()

    async def close(self) -> None:
        """Lets everything go; a second call does nothing."""
        await self.rest()
        await self._resign()
        if self._poller:
            await self._poller.close()
        if self._api:
            await self._api.close()
        if self._database:
            database, self._database = self._database, None
            await asyncio.to_thread(database.release)
        await self._health.close()
        self._exporter.close()

    async def _resign(self) -> None:
        """Lets another operator begin at once."""
        if self._keeping:
            self._keeping.remove_done_callback(_end_without_lease)
            self._keeping.cancel()
        if self._lease:
            await self._lease.release()

    def sick(self) -> str:
        """What is wrong when a study has not moved for too long; no words while all is well."""
        silent = self.studies.silent_seconds(self._clock.monotonic())
        if silent <= self.options.stalled_seconds:
            return ""
        return f"a study's loop has not turned for {silent:.0f} s"

    async def _open_database(self) -> None:
        """Holds it open until the end, so that no study's end closes its connections."""
        try:
            self._database = Database.acquire(self.options.storage)
            database = self._database
            await database.call(lambda: database.transaction(lambda _: None))
        except StorageUnreachable as trouble:
            log.warning("%s; studies wait for it", trouble)
        except ValueError as error:
            raise Unusable(str(error)) from error

    async def _open_store(self, name: str, spec: StudySpec) -> TrialStore:
        return await OptunaStore.open(self.options.storage, name, spec, self._clock)

    async def _read_earlier(self, name: str) -> Earlier | None:
        return await asyncio.to_thread(read_earlier, self.options.storage, name)

    def _begin(self, resource: Resource) -> StudyLoop:
        assert self._services is not None
        return StudyLoop(resource, self._services)

    def _removed(self, study: Reference) -> None:
        self._exporter.removed(study.namespace, study.name)

    def _rests(self, study: Resource) -> None:
        self._exporter.recall(
            study.namespace, study.name, study.status, metric=study.metric, drawn=study.drawn
        )


def _end_without_lease(keeping: "asyncio.Task[str]") -> None:
    if keeping.cancelled():
        return
    log.error("ends: %s", keeping.exception() or keeping.result())
    logging.shutdown()
    os._exit(LOST_LEASE)


def _taken(option: str, address: str, error: OSError) -> str:
    return f"{option} {address}: {error.strerror or error}"
