"""The operator on kwok's nodes, beside a bare client in the same run.

The floor creates the same Jobs and refills a slot when its pod's status tells of the end; it
deletes, stores and decides nothing. Both are watched by the same program, so both pay for it. On a
machine that others load as well only the ratios mean something.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from bench import cluster_life, cluster_runs
from bench.cluster_client import Client
from bench.cluster_runs import Place, Run
from bench.processes import environment
from bench.table import Figure
from tests.cluster import control_plane, operators
from tests.cluster.control_plane import ControlPlane
from tests.cluster.kwok import Kwok
from tests.cluster.stages import Pace

T = TypeVar("T")

SHORTEST_SECONDS, LONGEST_SECONDS = 4.0, 40.0
"""How long the trials run whose turnaround is measured."""

KATIB_STUDY_MEGABYTES = 80.0
"""What Katib 0.19 takes for each study more."""


@dataclass(frozen=True, kw_only=True)
class Size:
    """How much is measured."""

    trials: int = 500
    paced: int = 320
    paced_few: int = 48
    studies: tuple[int, ...] = (50, 500)
    algorithms: tuple[str, ...] = ("Random", "TPE")


QUICK = Size(trials=120, paced=128, paced_few=16, studies=(50,), algorithms=("Random",))


def figures(size: Size) -> Iterator[Figure]:
    """Everything, on a control plane of its own."""
    name = f"bench{os.getpid()}"
    with control_plane.running(name, os.getpid()) as plane:
        plane.apply_crds()
        operators.grant(plane)
        kwok = Kwok(plane)
        kwok.start()
        kwok.add_nodes(3)
        for parallelism in (8, 64):
            yield from _throughput(plane, size, parallelism)
        yield from _growth(plane, size)
        kwok.start(Pace(shortest_seconds=SHORTEST_SECONDS, longest_seconds=LONGEST_SECONDS))
        yield from _turnaround(plane, size)
        yield from _restart(plane)
        kwok.start(Pace(shortest_seconds=3600, longest_seconds=3601))
        yield from _memory(plane, size)


def _throughput(plane: ControlPlane, size: Size, parallelism: int) -> Iterator[Figure]:
    """Instant trials: the floor before and after each of ours."""

    async def bare(place: Place) -> Run:
        found = await cluster_runs.floor(place, size.trials, parallelism)
        await cluster_runs.clear(place, found.namespace)
        return found

    async def measure(place: Place) -> list[tuple[Run, list[Run]]]:
        floors = [await bare(place)]
        found = []
        for algorithm in size.algorithms:
            ours = await cluster_runs.study(place, size.trials, parallelism, algorithm)
            await cluster_runs.clear(place, ours.namespace)
            floors.append(await bare(place))
            found.append((ours, floors[-2:]))
        return found

    for algorithm, (ours, floors) in zip(size.algorithms, _on(plane, measure), strict=True):
        name = f"{parallelism} at a time, {algorithm}"
        pace = statistics.mean(each.trials_a_second for each in floors)
        cpu = statistics.mean(each.cpu_seconds / each.trials for each in floors)
        spent, writes = ours.cpu_seconds / ours.trials, ours.writes.total() / ours.trials
        yield Figure(
            name=f"instant trials a second, {name}",
            ours=ours.trials_a_second,
            peer=pace,
            goal=0.7,
            at_least=True,
            unit="/s",
            note=f"{size.trials} trials",
        )
        yield Figure(f"CPU milliseconds a trial, {name}", spent * 1e3, cpu * 1e3, None, "ms")
        yield Figure(f"writes a trial, {name}, against 4", writes, 4, 1.0, "", _kinds(ours))


def _growth(plane: ControlPlane, size: Size) -> Iterator[Figure]:
    """What many trials add to the resource."""

    async def measure(place: Place) -> tuple[Run, Run]:
        few = await cluster_runs.study(place, 10, 8)
        return few, await cluster_runs.study(place, size.trials, 8)

    few, many = (_bytes(run) for run in _on(plane, measure))
    name = f"bytes of the resource, {size.trials} trials against 10"
    yield Figure(name, many[0], few[0], 1.1, "B", "without managedFields")
    yield Figure(name, many[1], few[1], 1.1, "B", "with managedFields")


def _turnaround(plane: ControlPlane, size: Size) -> Iterator[Figure]:
    """From a pod's end to the Job that takes its slot, all at the same time."""

    async def measure(place: Place) -> list[Run]:
        found = await asyncio.gather(
            cluster_runs.floor(place, size.paced, 64),
            cluster_runs.study(place, size.paced, 64, "TPE"),
            cluster_runs.study(place, size.paced_few, 8, "TPE"),
        )
        for run in found:
            await cluster_runs.clear(place, run.namespace)
        return found

    floor, many, few = _on(plane, measure)
    length = f"trials of {SHORTEST_SECONDS:g}-{LONGEST_SECONDS:g} s"
    for run in (many, few):
        for share, bound in ((0.5, 0.1), (0.99, 0.5)):
            ours, bare = (_quantile(each.turnarounds, share) for each in (run, floor))
            name = f"turnaround p{share * 100:g}, {run.parallelism} at a time, against {bound:g} s"
            note = f"{length}; floor {bare:.3f} s"
            yield Figure(name, ours, bound, 1.0, "s", note)
        writes = run.writes.total() / run.trials
        name = f"writes a trial, {run.parallelism} at a time, against 4"
        yield Figure(name, writes, 4, 1.0, "", f"{length}; {_kinds(run)}")


def _restart(plane: ControlPlane) -> Iterator[Figure]:
    """From the start of a process after a kill to the first Job that it creates."""
    begin = time.perf_counter()
    source = "import kopf, kubernetes.aio.client"
    subprocess.run([sys.executable, "-c", source], check=True, env=environment())
    imported = time.perf_counter() - begin
    seconds = _on(plane, cluster_life.restart)
    yield Figure("back at work after kill -9, against the imports", seconds, imported, None, "s")


def _memory(plane: ControlPlane, size: Size) -> Iterator[Figure]:
    """The operator with so many studies that each have a trial running."""
    one, *more = _on(plane, lambda place: cluster_life.memory(place, (1, *size.studies)))
    for count, found in zip(size.studies, more, strict=True):
        each = (found - one) / (count - 1)
        note = f"{each:.2f} MB more a study; Katib {KATIB_STUDY_MEGABYTES:g}"
        yield Figure(f"memory at {count} studies, against 1", found, one, None, "MB", note)


def _on(plane: ControlPlane, measure: Callable[[Place], Awaitable[T]]) -> T:
    async def inside() -> T:
        async with Client(plane.kubeconfig) as client:
            return await measure(Place(plane=plane, client=client))

    return asyncio.run(inside())


def _bytes(run: Run) -> tuple[int, int]:
    """The resource's size without and with what the server notes of its writers."""
    meta = {key: value for key, value in run.resource["metadata"].items() if key != "managedFields"}
    return len(json.dumps({**run.resource, "metadata": meta})), len(json.dumps(run.resource))


def _kinds(run: Run) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in run.writes.items())


def _quantile(values: list[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]
