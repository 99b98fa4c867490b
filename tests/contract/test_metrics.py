"""Every source of live values keeps the same contract."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from kubetune.adapters.local.files import RunFiles
from kubetune.adapters.local.metrics import LocalMetrics
from kubetune.adapters.prometheus.client import PrometheusClient
from kubetune.adapters.prometheus.poller import Poller
from kubetune.adapters.prometheus.source import PrometheusSource
from kubetune.app.clock import SystemClock
from kubetune.domain.samples import Sample, reading_of
from tests.contract.metrics_contract import MetricsContract, MetricsKit
from tests.fakes.metrics import FakeMetrics
from tests.integration.prometheus.server import Prometheus, Shown, prometheus, until

TRIALS = range(3)
STUDY_UID = str(uuid4())


class FakeKit:
    """Readings made by hand, of samples that the test keeps."""

    def __init__(self) -> None:
        self.source = FakeMetrics()
        self._samples: dict[int, dict[tuple[str, str], float]] = {}

    def show(self, number: int, name: str, value: float, /, **labels: str) -> None:
        self._samples.setdefault(number, {})[name, labels.get("name", "")] = value
        self.source.readings[number] = reading_of(
            Sample(name, metric, value) for (name, metric), value in self._samples[number].items()
        )

    async def settle(self) -> None:
        """What was shown is known at once."""


class LocalKit:
    """Ports on this machine."""

    def __init__(self, folder: Path) -> None:
        self.source = LocalMetrics(folder)
        self.shown = {number: Shown() for number in TRIALS}
        for number, shown in self.shown.items():
            files = RunFiles(folder, number, 1)
            files.prepare()
            port = int(shown.address.rpartition(":")[2])
            files.append(number=number, attempt=1, uid=f"run-{number}-1", port=port)

    def show(self, number: int, name: str, value: float, /, **labels: str) -> None:
        self.shown[number].set(name, value, **labels)

    async def settle(self) -> None:
        """What was shown is read at the next question."""


class PrometheusKit:
    """The same ports, scraped. A count that all of them show tells when all is known."""

    def __init__(self, server: Prometheus, shown: dict[int, Shown]) -> None:
        self.client = PrometheusClient(server.url)
        self.poller = Poller(self.client, window_seconds=0.01)
        self.source = PrometheusSource(
            self.poller,
            study_uid=STUDY_UID,
            namespace="team",
            job_name=lambda number, attempt: f"job-{number}",
            clock=SystemClock(),
        )
        self.shown = shown
        self._count = uuid4().int % 10**9

    def show(self, number: int, name: str, value: float, /, **labels: str) -> None:
        self.shown[number].set(name, value, **labels)

    async def settle(self) -> None:
        self._count += 1
        for shown in self.shown.values():
            shown.set("test_count", self._count)

        async def known() -> bool:
            found = await self.client.query(f"test_count == {self._count}")
            return len(found) == len(self.shown)

        await until(known)


class TestFakeMetrics(MetricsContract):
    """The fake."""

    def open_kit(self, folder: Path) -> AbstractAsyncContextManager[MetricsKit]:
        @asynccontextmanager
        async def opened() -> AsyncIterator[FakeKit]:
            yield FakeKit()

        return opened()


class TestLocalMetrics(MetricsContract):
    """Ports scraped by the tuner itself."""

    def open_kit(self, folder: Path) -> AbstractAsyncContextManager[MetricsKit]:
        @asynccontextmanager
        async def opened() -> AsyncIterator[LocalKit]:
            kit = LocalKit(folder)
            yield kit
            for shown in kit.shown.values():
                shown.close()

        return opened()


@pytest.fixture(scope="module")
def shown() -> Iterator[dict[int, Shown]]:
    ports = {number: Shown() for number in TRIALS}
    yield ports
    for port in ports.values():
        port.close()


@pytest.fixture(scope="module")
def server(
    tmp_path_factory: pytest.TempPathFactory, shown: dict[int, Shown]
) -> Iterator[Prometheus]:
    with prometheus(tmp_path_factory.mktemp("prometheus")) as running:
        for number, port in shown.items():
            running.scrape(
                port.address,
                kubetune_io_study_uid=STUDY_UID,
                kubetune_io_trial=str(number),
                kubetune_io_attempt="1",
                namespace="team",
                pod=f"job-{number}-abcde",
            )
        yield running


class TestPrometheus(MetricsContract):
    """Ports scraped by a real Prometheus."""

    @pytest.fixture(autouse=True)
    def _given(self, server: Prometheus, shown: dict[int, Shown]) -> None:
        self._server, self._shown = server, shown

    def open_kit(self, folder: Path) -> AbstractAsyncContextManager[MetricsKit]:
        @asynccontextmanager
        async def opened() -> AsyncIterator[PrometheusKit]:
            kit = PrometheusKit(self._server, self._shown)
            yield kit
            await kit.poller.close()
            for shown in self._shown.values():
                shown.clear()

        return opened()
