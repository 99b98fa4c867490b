"""A node of the cluster on this machine: containerd, a kubelet, and GPUs that only count."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cluster import binaries, images, machine, node_settings, processes, users
from tests.cluster.control_plane import ControlPlane
from tests.cluster.requests import Refused, Server, wait_until

_ROOT = Path(__file__).parents[2]
_MERGE = "application/strategic-merge-patch+json"


class Node:
    """The one node of a control plane; needs root.

    Its GPUs are numbers in the node's status: the scheduler counts them, no device is there.
    """

    def __init__(self, plane: ControlPlane, *, gpus: int = 2) -> None:
        self.plane = plane
        self.name = plane.node
        self.gpus = gpus
        self._folder = plane.home.folder

    def start(self) -> None:
        """Starts containerd with all images and the kubelet; returns when pods are placed.

        Raises:
            RuntimeError: the machine cannot be a node; the message says what is missing.
        """
        if reason := machine.missing():
            raise RuntimeError(reason)
        machine.make_bridge(self.plane.home.slot)
        machine.make_cgroups(self.plane.home.slot)
        self._start_gate()
        self._start_containerd()
        self.start_kubelet()

    def start_kubelet(self) -> None:
        """Starts the kubelet and returns when the node is ready, with its GPUs, for pods."""
        home = self.plane.home
        folder = home.make("kubelet")
        node_settings.resolver(home).write_text("")
        settings = folder / "settings.json"
        settings.write_text(json.dumps(node_settings.kubelet(home), indent=1))
        words = [
            binaries.find()["kubelet"].path,
            f"--config={settings}",
            f"--kubeconfig={self.plane.kubeconfig_for(users.node_user(self.name))}",
            f"--hostname-override={self.name}",
            f"--node-ip={machine.gateway(home.slot)}",
            f"--root-dir={folder / 'root'}",
            f"--cert-dir={folder / 'keys'}",
        ]
        self._start("kubelet", [str(word) for word in words])
        wait_until(lambda: self._ended("kubelet") or self._ready(), "the node to be ready")
        if self._ended("kubelet"):
            raise RuntimeError(f"the kubelet ended:\n{self.plane.log_tail('kubelet')}")
        self.set_gpus(self.gpus)
        wait_until(lambda: not self._seen()["spec"].get("taints"), "the node to take pods")

    def stop_kubelet(self, *, grace_seconds: float = 2.0) -> None:
        """Stops the kubelet; its pods run on and nobody says so."""
        self.plane.stop_component("kubelet", grace_seconds=grace_seconds)

    def kill_pods(self) -> None:
        """Ends all that its pods run; together with `stop_kubelet` it is a power cut."""
        machine.kill_pods(self.plane.home.slot)

    def set_gpus(self, gpus: int) -> None:
        """Says in the node's status how many GPUs there are."""
        count = {"nvidia.com/gpu": str(gpus)}
        status = {"status": {"capacity": count, "allocatable": count}}
        self.plane.request("PATCH", f"/api/v1/nodes/{self.name}/status", status, _MERGE)

    def delete(self) -> None:
        """Deletes the node's object, as a cloud does with a machine it took back."""
        self.plane.request("DELETE", f"/api/v1/nodes/{self.name}")

    def healthy(self) -> bool:
        """Whether the kubelet answers that it is well."""
        port = self.plane.home.port("kubelet-health")
        return Server(f"http://127.0.0.1:{port}").healthy("/healthz")

    def serving(self) -> bool:
        """Whether containerd answers."""
        return self._ctr("version").returncode == 0

    @property
    def prometheus_url(self) -> str:
        """Where pods find the cluster's Prometheus, once that runs."""
        home = self.plane.home
        return f"http://{machine.gateway(home.slot)}:{home.port('prometheus')}"

    def _start_gate(self) -> None:
        """Opens what listens on loopback to pods."""
        home = self.plane.home
        rules = {
            f"{machine.apiserver(home.slot)}:443": home.port("kube-apiserver"),
            self.prometheus_url.removeprefix("http://"): home.port("prometheus"),
        }
        words = [f"{address}={port}" for address, port in rules.items()]
        running = processes.read(self._folder, "gate")
        if not (running and running.alive):
            path = {"PYTHONPATH": str(_ROOT)}
            program = [sys.executable, "-m", "tests.cluster.gate", *words]
            processes.start(self._folder, "gate", program, path)

    def _start_containerd(self) -> None:
        home = self.plane.home
        folder = home.make("containerd")
        home.make("containerd/cni")
        settings = folder / "settings.toml"
        settings.write_text(node_settings.containerd(home))
        network = json.dumps(node_settings.network(home))
        (folder / "cni" / "10-pods.conflist").write_text(network)
        self._start("containerd", ["containerd", f"--config={settings}"])
        wait_until(lambda: self._ended("containerd") or self.serving(), "containerd")
        if self._ended("containerd"):
            raise RuntimeError(f"containerd ended:\n{self.plane.log_tail('containerd')}")
        present = self._ctr("images", "list", "-q").stdout
        names = (images.PAUSE, images.SHELL, images.TRAINER)
        if not all(name in present for name in names):
            for archive in images.build():
                self.load(archive)

    def load(self, archive: Path) -> None:
        """Imports an image's archive; pods use it with `imagePullPolicy: IfNotPresent` or Never."""
        done = self._ctr("images", "import", str(archive))
        if done.returncode:
            raise RuntimeError(f"ctr import {archive.name}: {done.stderr}")

    def _ctr(self, *words: str) -> "subprocess.CompletedProcess[str]":
        socket = self._folder / "containerd" / "containerd.sock"
        command = ["ctr", f"--address={socket}", "--namespace=k8s.io", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def _start(self, name: str, words: list[str]) -> None:
        running = processes.read(self._folder, name)
        if not (running and running.alive):
            processes.start(self._folder, name, words)

    def _ended(self, name: str) -> bool:
        running = processes.read(self._folder, name)
        return not (running and running.alive)

    def _seen(self) -> Any:
        return self.plane.request("GET", f"/api/v1/nodes/{self.name}")

    def _ready(self) -> bool:
        try:
            conditions = self._seen()["status"].get("conditions", [])
        except Refused:
            return False
        ready = [each for each in conditions if each["type"] == "Ready"]
        return self.healthy() and bool(ready) and ready[0]["status"] == "True"
