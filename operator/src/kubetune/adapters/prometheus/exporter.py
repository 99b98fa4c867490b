"""The operator's own metrics, and the port on which they are shown."""

import re
from collections.abc import Collection, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from kubetune.adapters.prometheus import families
from kubetune.adapters.prometheus.families import Family
from kubetune.adapters.prometheus.projection import Projection
from kubetune.adapters.prometheus.snapshot import Snapshot
from kubetune.domain.events import Event
from kubetune.domain.status import StudyStatus

if TYPE_CHECKING:
    from threading import Thread
    from wsgiref.simple_server import WSGIServer

_PATH = re.compile(
    r"/(?:api/v1|apis/[^/]+/[^/]+)/(?:namespaces/[^/]+/)?(?P<resource>[a-z]+)"
    r"(?:/[^/]+(?:/(?P<part>[a-z]+))?)?"
)
_CREATED = 201


class Exporter:
    """Told of everything from the event loop's thread, asked by the server's.

    A registry of its own: what other libraries show of themselves stays outside.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._projection = Projection()
        self.registry.register(self._projection)
        self._events = self._counter(families.EVENTS)
        self._reconciles = self._counter(families.RECONCILES)
        self._launches = self._counter(families.LAUNCHES)
        self._requests = self._counter(families.API_REQUESTS)
        self._reconcile_seconds = self._histogram(families.RECONCILE_SECONDS)
        self._wake_seconds = self._histogram(families.WAKE_SECONDS)
        self._draw_seconds = self._histogram(families.DRAW_SECONDS)
        self._queue_seconds = self._histogram(families.QUEUE_SECONDS)
        self._request_seconds = self._histogram(families.API_SECONDS)
        build = families.BUILD
        gauge = Gauge(build.name, build.help, build.labels, registry=self.registry)
        gauge.labels(_version()).set(1)
        watching = families.WATCHING
        self._watching = Gauge(watching.name, watching.help, registry=self.registry)
        self._server: tuple[WSGIServer, Thread] | None = None

    def role(self, *, watching: bool) -> None:
        """Whether this operator watches studies from now on, or stands by."""
        self._watching.set(watching)

    def publish(
        self,
        namespace: str,
        study: str,
        status: StudyStatus,
        events: Sequence[Event] = (),
        *,
        metric: str = "",
    ) -> None:
        """Takes a study's newest status; `metric` is its first objective's."""
        self._projection.put(namespace, study, Snapshot.of(status, metric))
        for event in events:
            self._events.labels(event.reason.value).inc()

    def recall(
        self,
        namespace: str,
        study: str,
        told: Mapping[str, Any],
        *,
        metric: str = "",
        drawn: Collection[str] = (),
    ) -> None:
        """Takes the status of a study that nobody follows, as it stands on the wire.

        `drawn` names its parameters.
        """
        self._projection.put(namespace, study, Snapshot.recalled(told, metric, drawn))

    def removed(self, namespace: str, study: str) -> None:
        """A study was deleted: its series end."""
        self._projection.remove(namespace, study)
        for result in ("success", "error"):
            self._reconciles.remove(namespace, study, result)

    def reconciled(self, namespace: str, study: str, seconds: float) -> None:
        """A pass of a study's loop is done."""
        self._reconciles.labels(namespace, study, "success").inc()
        self._reconcile_seconds.observe(seconds)

    def loop_failed(self, namespace: str, study: str) -> None:
        """A pass of a study's loop ended in an error."""
        self._reconciles.labels(namespace, study, "error").inc()

    def woke(self, seconds: float) -> None:
        """A pass began that long after the change that woke it."""
        self._wake_seconds.observe(seconds)

    def drawn(self, seconds: float) -> None:
        """A draw was made and stored."""
        self._draw_seconds.observe(seconds)

    def started(self, seconds: float) -> None:
        """A trial began that long after its Job was created."""
        self._queue_seconds.observe(seconds)

    def requested(self, method: str, path: str, status: int, seconds: float) -> None:
        """A request to the API server is over; fits `Api.on_request`."""
        path, _, query = path.partition("?")
        found = _PATH.fullmatch(path)
        resource = "/".join(filter(None, found.groups())) if found else "other"
        self._requests.labels(method, resource, str(status)).inc()
        self._request_seconds.labels(method, resource).observe(seconds)
        rehearsed = "dryRun=" in query
        if (method, resource, status) == ("POST", "jobs", _CREATED) and not rehearsed:
            self._launches.inc()

    def serve(self, address: str) -> int:
        """Shows the metrics on HOST:PORT; gives the port, which the system chooses when it is 0.

        Raises:
            OSError: the address is taken, or not this machine's.
            ValueError: it is no HOST:PORT.
        """
        host, _, port = address.rpartition(":")
        if not host or not port.isdecimal():
            raise ValueError(f"{address!r} is no address: write HOST:PORT")
        self._server = start_http_server(int(port), host.strip("[]"), registry=self.registry)
        return self._server[0].server_port

    def close(self) -> None:
        """Frees the port; a second call does nothing."""
        if self._server is None:
            return
        server, thread = self._server
        self._server = None
        server.shutdown()
        thread.join()
        server.server_close()

    def _counter(self, family: Family) -> Counter:
        return Counter(family.name, family.help, family.labels, registry=self.registry)

    def _histogram(self, family: Family) -> Histogram:
        return Histogram(
            family.name,
            family.help,
            family.labels,
            buckets=family.buckets,
            registry=self.registry,
        )


def _version() -> str:
    try:
        return version("kubetune")
    except PackageNotFoundError:
        return "unknown"
