"""A Prometheus of its own for a test, and trials that it scrapes."""

import asyncio
import json
import shutil
import subprocess
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

from prometheus_client import CollectorRegistry, Gauge, start_http_server

from tests.cluster.ports import free_ports

WAIT_SECONDS = 60


async def until(holds: Callable[[], Awaitable[object]]) -> None:
    """Waits until something holds."""
    async with asyncio.timeout(WAIT_SECONDS):
        while not await holds():  # noqa: ASYNC110 - nothing tells when it does
            await asyncio.sleep(0.1)


class Shown:
    """A trial's metrics port. `names` may hold labels beside the metric's name."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._server, self._thread = start_http_server(0, "127.0.0.1", registry=self.registry)
        self._gauges: dict[str, Gauge] = {}

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._server.server_port}"

    def report(self, step: float, progress: float = 0.0, **metrics: float) -> None:
        """Shows values as the trainer does."""
        self.set("kubetune_trial_step", step)
        self.set("kubetune_trial_progress_ratio", progress)
        for name, value in metrics.items():
            self.set("kubetune_trial_metric", value, name=name)
            self.set("kubetune_trial_metric_step", step, name=name)

    def set(self, name: str, value: float, /, **labels: str) -> None:
        """Shows one value."""
        if name not in self._gauges:
            self._gauges[name] = Gauge(name, "Help.", tuple(labels), registry=self.registry)
        gauge = self._gauges[name]
        (gauge.labels(**labels) if labels else gauge).set(value)

    def clear(self) -> None:
        """Shows nothing from now on."""
        for gauge in self._gauges.values():
            self.registry.unregister(gauge)
        self._gauges.clear()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Prometheus:
    """The real program, scraping five times a second whatever `scrape` names.

    With `rules` it works them out as often, and believes the labels of what it scrapes: that is the
    operator then, who tells of studies in other namespaces.
    """

    def __init__(self, folder: Path, rules: Path | None = None) -> None:
        self.folder = folder
        (self.port,) = free_ports(1)
        self._targets: dict[str, dict[str, str]] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._write()
        (folder / "settings.json").write_text(
            json.dumps(
                {
                    "global": {
                        "scrape_interval": "200ms",
                        "scrape_timeout": "200ms",
                        "evaluation_interval": "200ms",
                    },
                    "rule_files": [str(rules)] if rules else [],
                    "scrape_configs": [
                        {
                            "job_name": "trials",
                            "honor_labels": rules is not None,
                            "file_sd_configs": [{"files": [str(folder / "targets.json")]}],
                        }
                    ],
                }
            )
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def scrape(self, address: str, **labels: str) -> None:
        """Scrapes this address from now on, and puts these labels on what it shows."""
        self._targets[address] = labels
        self._write()

    def forget(self, address: str) -> None:
        """Scrapes it no more, as happens to a pod that has ended."""
        self._targets.pop(address, None)
        self._write()

    def start(self) -> None:
        """Returns when it answers."""
        program = shutil.which("prometheus")
        assert program, "prometheus is missing: apt-get install prometheus"
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                [
                    program,
                    f"--config.file={self.folder / 'settings.json'}",
                    f"--storage.tsdb.path={self.folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                ],
                stdout=log,
                stderr=log,
            )
        end = time.monotonic() + WAIT_SECONDS
        while not self._ready():
            assert time.monotonic() < end, (self.folder / "log").read_text()
            time.sleep(0.1)

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _ready(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.folder / "log").read_text()
        try:
            with urlopen(f"{self.url}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def _write(self) -> None:
        draft = self.folder / "targets.new"
        groups = [{"targets": [each], "labels": labels} for each, labels in self._targets.items()]
        draft.write_text(json.dumps(groups))
        draft.replace(self.folder / "targets.json")


@contextmanager
def prometheus(folder: Path, rules: Path | None = None) -> Iterator[Prometheus]:
    """A running server."""
    server = Prometheus(folder, rules)
    try:
        server.start()
        yield server
    finally:
        server.stop()
