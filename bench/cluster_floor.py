"""The floor: the same Jobs from a bare client that refills a slot as soon as its pod has ended."""

import asyncio
import copy
from collections.abc import Mapping
from typing import Any

from bench.cluster_client import Client
from bench.cluster_watch import Watcher


async def run(
    client: Client, namespace: str, job: Mapping[str, Any], *, trials: int, parallelism: int
) -> Watcher:
    """Creates the Job `trials` times, so many at once; what was seen of it.

    Nothing is deleted, stored or decided: all that is left is what the cluster itself takes.
    """
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    waiting: set[asyncio.Task[Any]] = set()
    numbers = iter(range(trials))

    def create() -> None:
        number = next(numbers, None)
        if number is None:
            return
        body = copy.deepcopy(dict(job))
        body["metadata"] = {**body["metadata"], "name": f"floor-{number}", "namespace": namespace}
        task = asyncio.create_task(client.request("POST", path, body))
        waiting.add(task)
        task.add_done_callback(lambda done: (waiting.discard(done), done.result()))

    async with Watcher(client, namespace) as watcher:
        watcher.on_end = create
        for _ in range(parallelism):
            create()
        await watcher.until(lambda: len(watcher.ended) == trials, "the floor's pods")
        return watcher
