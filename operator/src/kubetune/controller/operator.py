"""The operator as a whole: what is opened at its start, looked after, and closed at its end."""

import asyncio
import contextlib
import logging
import os

from kubetune.adapters.kubernetes.api import Api, ApiRefused, ApiUnreachable
from kubetune.adapters.prometheus.client import PrometheusClient
from kubetune.adapters.prometheus.credentials import Credentials
from kubetune.adapters.prometheus.exporter import Exporter
from kubetune.adapters.prometheus.poller import Poller
from kubetune.app.clock import SystemClock
from kubetune.controller.loop import StudyLoop
from kubetune.controller.options import Options
from kubetune.controller.resource import Resource
from kubetune.controller.services import Services
from kubetune.controller.studies import Studies
from kubetune.controller.view import IndexView

log = logging.getLogger(__name__)


class Stalled(Exception):  # noqa: N818 - named by what is wrong
    """A study's loop does not turn any more: the operator wants to be restarted."""


class Operator:
    """Opened and closed by Kopf's own start and end."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.studies = Studies(self._begin)
        self._clock = SystemClock()
        self._exporter = Exporter()
        self._services: Services | None = None
        self._sweeping: asyncio.Task[None] | None = None

    async def open(self, view: IndexView) -> None:
        """Connects to what every study needs, and begins to look for leftovers."""
        options = self.options
        api = await Api.connect(on_request=self._exporter.requested)
        poller = None
        if options.prometheus:
            credentials = Credentials.from_environment(os.environ)
            poller = Poller(PrometheusClient(options.prometheus, credentials))
        self._exporter.serve(options.metrics_address)
        self._services = Services(
            options=options,
            api=api,
            view=view,
            exporter=self._exporter,
            poller=poller,
            clock=self._clock,
        )
        self._sweeping = asyncio.create_task(self._sweep(view, api), name="leftovers")

    async def close(self) -> None:
        """Ends the loops and lets everything go; trials go on."""
        if self._sweeping:
            self._sweeping.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.options.exit_seconds):
                await self.studies.close()
        if self._services:
            if self._services.poller:
                await self._services.poller.close()
            await self._services.api.close()
        self._exporter.close()

    def check(self) -> int:
        """How many studies are followed.

        Raises:
            Stalled: one of them has not moved for too long.
        """
        silent = self.studies.silent_seconds(self._clock.monotonic())
        if silent > self.options.stalled_seconds:
            raise Stalled(f"a study's loop has not turned for {silent:.0f} s")
        return len(self.studies)

    async def _sweep(self, view: IndexView, api: Api) -> None:
        """Finds Jobs that an ended study has left, and lets its loop remove them."""
        while True:
            await asyncio.sleep(self.options.resync_seconds)
            for uid, path in dict(self.studies.without_loop).items():
                if not any(job.deleted_at is None for job in view.jobs(uid)):
                    continue
                with contextlib.suppress(ApiUnreachable, ApiRefused):
                    self.studies.saw(await api.request("GET", path), leftovers=True)

    def _begin(self, resource: Resource) -> StudyLoop:
        assert self._services is not None
        return StudyLoop(resource, self._services)
