"""Nodes and pods that only their API objects know of: scale without machines."""

import json
from pathlib import Path

from tests.cluster import golang, processes, users
from tests.cluster.control_plane import ControlPlane
from tests.cluster.requests import Server, wait_until
from tests.cluster.stages import Pace, stages

VERSION = "v0.7.0"

_ANNOTATION = "kwok.x-k8s.io/node"


class Kwok:
    """Plays the kubelet of every node that `add_nodes` made, and of no other."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane

    def start(self, pace: Pace | None = None) -> None:
        """Starts it, or starts it again at another pace; pods succeed at once by default."""
        self.stop()
        folder = self.plane.home.make("kwok")
        settings = folder / "stages.yaml"
        settings.write_text("\n---\n".join(json.dumps(each) for each in stages(pace or Pace())))
        words = [
            str(binary()),
            f"--kubeconfig={self.plane.kubeconfig_for(users.KWOK)}",
            f"--config={settings}",
            f"--manage-nodes-with-annotation-selector={_ANNOTATION}=fake",
            "--node-lease-duration-seconds=40",
            f"--server-address=127.0.0.1:{self.plane.home.port('kwok')}",
        ]
        running = processes.start(self.plane.home.folder, "kwok", words)
        wait_until(lambda: not running.alive or self.healthy(), "kwok")
        if not running.alive:
            raise RuntimeError(f"kwok ended:\n{self.plane.log_tail('kwok')}")

    def stop(self) -> None:
        """Stops it: its nodes and pods stay as they are."""
        self.plane.stop_component("kwok", grace_seconds=2)

    def healthy(self) -> bool:
        """Whether it answers that it is well."""
        return Server(f"http://127.0.0.1:{self.plane.home.port('kwok')}").healthy("/healthz")

    def add_nodes(self, count: int, *, gpus: int = 8) -> None:
        """Sees that `kwok-0` to `kwok-(count - 1)` are there, ready and with GPUs."""
        have = {node["metadata"]["name"] for node in self._nodes()}
        room = {"cpu": "1k", "memory": "1Ti", "pods": "1M", "nvidia.com/gpu": str(gpus)}
        for name in (f"kwok-{number}" for number in range(count)):
            if name not in have:
                node = {
                    "metadata": {"name": name, "annotations": {_ANNOTATION: "fake"}},
                    "status": {"capacity": room, "allocatable": room},
                }
                self.plane.request("POST", "/api/v1/nodes", node)
        wait_until(lambda: self._placeable() >= count, f"{count} kwok nodes")

    def _placeable(self) -> int:
        return sum(
            not node["spec"].get("taints")
            for node in self._nodes()
            if node["metadata"]["name"].startswith("kwok-")
        )

    def _nodes(self) -> list[dict[str, dict[str, str]]]:
        return list(self.plane.request("GET", "/api/v1/nodes")["items"])


def binary() -> Path:
    """kwok, built into the cache when it is not there: five minutes from cold."""
    return golang.installed("sigs.k8s.io/kwok/cmd/kwok", VERSION)
