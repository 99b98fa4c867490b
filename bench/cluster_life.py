"""An operator's life: killed and started again, and with many studies."""

import asyncio
import time

from bench import cluster_study
from bench.cluster_runs import STUDIES, Place, clear, memory_megabytes, operator
from bench.cluster_watch import Watcher


async def restart(place: Place) -> float:
    """Seconds from a start after a kill to the first Job, with slots that wait to be filled."""
    namespace = place.plane.create_namespace("restart")
    body = cluster_study.manifest("bench", trials=1000, parallelism=32)
    async with operator(place, namespace) as process, Watcher(place.client, namespace) as seen:
        await place.client.request("POST", STUDIES.format(namespace), body)
        await seen.until(lambda: len(seen.ended) >= 8, "the first ends")
        process.kill()
        ends = len(seen.ended)
        await seen.until(lambda: len(seen.ended) >= ends + 4, "ends that nobody sees")
        known, began = set(seen.created), time.monotonic()
        process.start(wait=False)
        await seen.until(lambda: bool(seen.created.keys() - known), "a Job")
        first = min(at for name, at in seen.created.items() if name not in known)
    await clear(place, namespace)
    return first - began


async def memory(place: Place, counts: tuple[int, ...]) -> list[float]:
    """Megabytes of one operator when so many studies have a trial that runs."""
    namespace = place.plane.create_namespace("memory")
    found = []
    async with operator(place, namespace) as process, Watcher(place.client, namespace) as seen:
        made = 0
        for count in counts:
            for number in range(made, count):
                body = cluster_study.manifest(f"bench-{number}", trials=10, parallelism=1)
                await place.client.request("POST", STUDIES.format(namespace), body)
            made = count
            await seen.until(lambda: len(seen.created) >= count, f"{count} studies' Jobs")  # noqa: B023
            await asyncio.sleep(5)
            found.append(memory_megabytes(process))
    await clear(place, namespace)
    return found
