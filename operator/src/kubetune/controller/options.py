"""What the operator is told when it is started."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Where things are, and how long to wait for them.

    `storage` is a database URL; `prometheus` the base URL of a server, None without one.
    `namespaces` are watched, all of them when empty. `own_namespace` never has studies.
    `health_address` and `metrics_address` are HOST:PORT. After `resync_seconds` a study is looked
    at even when nothing was heard of it. With a `lease`, a namespace and a name, only the operator
    that holds it tunes; it holds for `lease_seconds` after its holder died. The results of a study
    that goes on are written once in `results_seconds` at most. `exit_seconds` are for the last
    words of all studies.
    """

    storage: str
    prometheus: str | None = None
    namespaces: tuple[str, ...] = ()
    own_namespace: str | None = None
    health_address: str = "0.0.0.0:8080"
    metrics_address: str = "0.0.0.0:9090"
    resync_seconds: float = 60.0
    lease: tuple[str, str] | None = None
    lease_seconds: float = 15.0
    results_seconds: float = 600.0
    exit_seconds: float = 20.0

    @property
    def stalled_seconds(self) -> float:
        """A loop that has not turned for so long hangs: five resyncs, or minutes, have gone by."""
        return 5 * max(60.0, self.resync_seconds)
