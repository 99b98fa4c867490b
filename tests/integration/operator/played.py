"""Pods that nobody runs: a kubelet of words ends each as a trial that completes at once."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from kubetune.adapters.kubernetes.api import Api
from tests.builders import make_result
from tests.cluster.control_plane import ControlPlane
from tests.fakes.kubelet import Kubelet, kubelet

STUDIES = "/apis/kubetune.io/v1alpha1/namespaces/{}/tuningstudies"


def manifest(name: str = "study", **spec: Any) -> dict[str, Any]:
    """A small study of pods that only the API server knows."""
    container = {"name": "trainer", "image": "none"}
    values: dict[str, Any] = {
        "objectives": [{"metric": "accuracy", "direction": "Maximize"}],
        "parameters": [{"name": "x", "type": "Double", "min": 0, "max": 1}],
        "sampler": {"algorithm": "Random"},
        "trials": {"max": 3, "parallelism": 2},
        "trialTemplate": {"spec": {"containers": [container], "restartPolicy": "Never"}},
    }
    return {
        "apiVersion": "kubetune.io/v1alpha1",
        "kind": "TuningStudy",
        "metadata": {"name": name},
        "spec": values | spec,
    }


class Ending:
    """Ends the pods that run while `on` is set; the others go on."""

    def __init__(self) -> None:
        self.on = threading.Event()
        self.on.set()

    async def turn(self, node: Kubelet, api: Api, namespace: str) -> None:
        """Ends what runs now."""
        if not self.on.is_set():
            return
        found = await api.request("GET", f"/api/v1/namespaces/{namespace}/pods")
        for pod in found["items"]:
            running = pod["status"].get("phase") == "Running"
            if running and "deletionTimestamp" not in pod["metadata"]:
                uid = pod["metadata"]["labels"]["batch.kubernetes.io/controller-uid"]
                await node.finish(uid, 0, make_result(0.5).decode())


@contextmanager
def played_pods(plane: ControlPlane, namespace: str) -> Iterator[Ending]:
    """Plays the pods of a namespace in a thread of its own, until the block is over."""
    ending, over = Ending(), threading.Event()

    async def play() -> None:
        api = await Api.connect(kubeconfig=plane.kubeconfig)
        try:
            async with kubelet(api, namespace, _nothing) as node:
                while not over.is_set():
                    await ending.turn(node, api, namespace)
                    await asyncio.sleep(0.05)
        finally:
            await api.close()

    thread = threading.Thread(target=lambda: asyncio.run(play()), name="pods", daemon=True)
    thread.start()
    try:
        yield ending
    finally:
        over.set()
        thread.join()


async def _nothing() -> None:
    """Nobody is to be told."""


def ended(status: Callable[[], dict[str, Any]]) -> Callable[[], bool]:
    """Whether a study's status says that it has ended."""
    return lambda: bool(status().get("completionTime"))
