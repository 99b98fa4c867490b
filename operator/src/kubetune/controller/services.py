"""What the loops of all studies share."""

from asyncio import Semaphore
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from kubetune.adapters.kubernetes.api import Api
from kubetune.adapters.kubernetes.executor import ClusterView
from kubetune.adapters.prometheus.exporter import Exporter
from kubetune.adapters.prometheus.poller import Poller
from kubetune.controller.options import Options
from kubetune.domain.ports import Clock, TrialStore
from kubetune.domain.study import StudySpec
from kubetune.domain.warm_start import Earlier

OpenStore: TypeAlias = Callable[[str, StudySpec], Awaitable[TrialStore]]
"""Opens a study by its name in the database; raises as `OptunaStore.open` does."""

ReadEarlier: TypeAlias = Callable[[str], Awaitable[Earlier | None]]
"""Reads the newest study of a namespace/name in the database, None when there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """One of each for the whole operator. `poller` is None without a Prometheus.

    `packing` is held by whoever puts a study's results together.
    """

    options: Options
    api: Api
    view: ClusterView
    exporter: Exporter
    poller: Poller | None
    open_store: OpenStore
    read_earlier: ReadEarlier
    clock: Clock
    packing: Semaphore = field(default_factory=Semaphore)
