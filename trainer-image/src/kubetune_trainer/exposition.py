"""Live values over HTTP, in Prometheus' text format."""

import sys
import threading
from collections.abc import Callable, Iterator
from socketserver import ThreadingTCPServer
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import MetricsHandler
from prometheus_client.registry import Collector

from kubetune_trainer.live import Live


class _Server(ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Somebody who goes before the answer is there is no matter for the trial's log."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Exposition:
    """Serves the live values until closed.

    A metric that is reported less often than others keeps its value between its reports;
    `kubetune_trial_metric_step` says which step it belongs to, so that nobody takes an old value
    for a new one.

    Raises:
        OSError: the port cannot be had.
    """

    def __init__(self, live: Callable[[], Live], host: str, port: int) -> None:
        registry = CollectorRegistry()
        registry.register(_Values(live))
        self._server = _Server((host, port), MetricsHandler.factory(registry))
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.02},
            name="kubetune-metrics",
            daemon=True,
        )
        self._thread.start()

    def close(self) -> None:
        """Stops serving and frees the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Values(Collector):
    def __init__(self, live: Callable[[], Live]) -> None:
        self._live = live

    def collect(self) -> Iterator[Metric]:
        live = self._live()
        value = GaugeMetricFamily(
            "kubetune_trial_metric", "A metric's newest value.", labels=["name"]
        )
        step = GaugeMetricFamily(
            "kubetune_trial_metric_step", "The step of that value.", labels=["name"]
        )
        for name, reported in live.metrics.items():
            value.add_metric([name], reported.value)
            step.add_metric([name], reported.step)
        yield value
        yield step
        if live.step is not None:
            yield GaugeMetricFamily(
                "kubetune_trial_step", "The step of the newest report.", value=live.step
            )
        yield GaugeMetricFamily(
            "kubetune_trial_progress_ratio", "How much of the trial is done.", value=live.progress
        )
