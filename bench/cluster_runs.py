"""One measured run on the cluster: a study by a fresh operator, or the same Jobs by the floor."""

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench import cluster_floor, cluster_study
from bench.cluster_client import Client
from bench.cluster_watch import Watcher
from tests.cluster.control_plane import ControlPlane
from tests.cluster.operators import OperatorProcess

STUDIES = "/apis/kubetune.io/v1alpha1/namespaces/{}/tuningstudies"


@dataclass(frozen=True, kw_only=True)
class Place:
    """The cluster that everything runs on, and a session as its administrator."""

    plane: ControlPlane
    client: Client


@dataclass(frozen=True, kw_only=True)
class Run:
    """What was seen of a run, and the CPU seconds of whoever made the Jobs.

    Of an operator's: its writes by kind, and the resource at the end.
    """

    namespace: str
    seen: Watcher
    parallelism: int
    first_seconds: float = 0.0
    cpu_seconds: float = 0.0
    writes: Counter[str]
    resource: dict[str, Any]

    @property
    def trials(self) -> int:
        return len(self.seen.ended)

    @property
    def trials_a_second(self) -> float:
        return self.seen.trials_a_second()

    @property
    def turnarounds(self) -> list[float]:
        return self.seen.turnarounds(self.parallelism)


async def floor(place: Place, trials: int, parallelism: int) -> Run:
    """The bare client's run, in a namespace of its own."""
    namespace = place.plane.create_namespace("floor")
    job, before = cluster_study.job(), time.process_time()
    seen = await cluster_floor.run(
        place.client, namespace, job, trials=trials, parallelism=parallelism
    )
    spent = time.process_time() - before
    await clear(place, namespace)
    return Run(
        namespace=namespace,
        seen=seen,
        parallelism=parallelism,
        cpu_seconds=spent,
        writes=Counter(),
        resource={},
    )


@asynccontextmanager
async def operator(place: Place, namespace: str) -> AsyncIterator[OperatorProcess]:
    """A fresh operator for one namespace, on a database of its own."""
    with tempfile.TemporaryDirectory() as folder:
        process = OperatorProcess(place.plane, Path(folder), namespaces=[namespace])
        await asyncio.to_thread(process.start)
        try:
            yield process
        finally:
            await asyncio.to_thread(process.kill)


async def study(place: Place, trials: int, parallelism: int, algorithm: str = "Random") -> Run:
    """A study's whole life."""
    namespace = await asyncio.to_thread(place.plane.create_namespace, "bench")
    body = cluster_study.manifest(
        "bench", trials=trials, parallelism=parallelism, algorithm=algorithm
    )
    path = STUDIES.format(namespace)
    async with operator(place, namespace) as process, Watcher(place.client, namespace) as seen:
        before = cpu_seconds(process)
        made_at = time.monotonic()
        await place.client.request("POST", path, body)
        resource = await ended(place, f"{path}/bench", seen, trials)
        spent = cpu_seconds(process) - before
    made = await asyncio.to_thread(writes, place, namespace)
    return Run(
        namespace=namespace,
        seen=seen,
        parallelism=parallelism,
        first_seconds=min(seen.created.values()) - made_at,
        cpu_seconds=spent,
        writes=made,
        resource=resource,
    )


async def ended(place: Place, path: str, seen: Watcher, trials: int) -> dict[str, Any]:
    """The resource of a study once its status says that it has ended.

    Raises:
        RuntimeError: its trials did not all complete.
    """
    await seen.until(lambda: len(seen.ended) >= trials, "the study's pods")
    give_up_at = time.monotonic() + 60
    while "completionTime" not in (found := await place.client.request("GET", path)).get(
        "status", {}
    ):
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"{path} does not end")
        await seen.pause(0.1)
    if found["status"]["trials"]["complete"] != trials:
        raise RuntimeError(f"{path}: {found['status']['trials']}")
    return found


async def clear(place: Place, namespace: str) -> None:
    """Takes away all studies and Jobs, and waits until their pods are gone."""
    for path in (STUDIES.format(namespace), f"/apis/batch/v1/namespaces/{namespace}/jobs"):
        await place.client.request("DELETE", f"{path}?propagationPolicy=Background")
    give_up_at = time.monotonic() + 300
    pods = f"/api/v1/namespaces/{namespace}/pods?limit=1"
    while (await place.client.request("GET", pods))["items"]:
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"pods stay in {namespace}")
        await asyncio.sleep(0.2)


def writes(place: Place, namespace: str) -> Counter[str]:
    """The operator's writes in a namespace by verb and resource, from the server's audit log."""
    return Counter(
        f"{one.verb} {one.resource}"
        for one in place.plane.requests_of()
        if one.namespace == namespace and one.writes
    )


def cpu_seconds(process: OperatorProcess) -> float:
    """User and system time so far, of all its threads."""
    times = psutil.Process(process.pid).cpu_times()
    return float(times.user + times.system)


def memory_megabytes(process: OperatorProcess) -> float:
    """What of it is in memory now."""
    return float(psutil.Process(process.pid).memory_info().rss) / 1e6
