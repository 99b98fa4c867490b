"""What the operator is told when it is started."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Where things are, and how long to wait for them.

    `storage` is a database URL; `prometheus` the base URL of a server, None without one.
    `namespaces` are watched, all of them when empty. `own_namespace` never has studies.
    `health_address` and `metrics_address` are HOST:PORT. After `resync_seconds` a study is looked
    at even when nothing was heard of it; one whose loop has not turned for `stalled_seconds` fails
    the operator's liveness.
    """

    storage: str
    prometheus: str | None = None
    namespaces: tuple[str, ...] = ()
    own_namespace: str | None = None
    health_address: str = "0.0.0.0:8080"
    metrics_address: str = "0.0.0.0:9090"
    resync_seconds: float = 60.0
    stalled_seconds: float = 300.0
    exit_seconds: float = 20.0
