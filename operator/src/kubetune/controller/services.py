"""What the loops of all studies share."""

from dataclasses import dataclass

from kubetune.adapters.kubernetes.api import Api
from kubetune.adapters.kubernetes.executor import ClusterView
from kubetune.adapters.prometheus.exporter import Exporter
from kubetune.adapters.prometheus.poller import Poller
from kubetune.controller.options import Options
from kubetune.domain.ports import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """One of each for the whole operator. `poller` is None without a Prometheus."""

    options: Options
    api: Api
    view: ClusterView
    exporter: Exporter
    poller: Poller | None
    clock: Clock
