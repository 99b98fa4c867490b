"""A real operator process against a real API server, with the rights of the chart and no other."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

from ruamel.yaml import YAML

from tests.cluster import users
from tests.cluster.control_plane import ControlPlane
from tests.cluster.ports import free_ports
from tests.cluster.requests import wait_until

RULES = Path(__file__).parents[2] / "charts" / "kubetune" / "files" / "rules.yaml"


def grant(plane: ControlPlane) -> None:
    """Gives the operator's user what the chart gives the operator."""
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "kubetune"},
        "rules": YAML(typ="safe").load(RULES.read_text()),
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "kubetune"},
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": "kubetune",
        },
        "subjects": [
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": users.OPERATOR}
        ],
    }
    plane.apply({"apiVersion": "v1", "kind": "List", "items": [role, binding]})


class OperatorProcess:
    """`kubetune operator` as a process of its own, for one namespace of a control plane.

    Started again after a kill it has the same database and ports, as a pod of the same Deployment
    has.
    """

    def __init__(
        self,
        plane: ControlPlane,
        folder: Path,
        *,
        namespaces: Sequence[str],
        storage: str | None = None,
        prometheus: str | None = None,
        kubeconfig: Path | None = None,
        options: Sequence[str] = (),
    ) -> None:
        self.plane = plane
        self.storage = storage or f"sqlite:///{folder / 'operator.db'}"
        self.health_port, self.metrics_port = free_ports(2)
        self.log_path = folder / "operator.log"
        self._kubeconfig = kubeconfig or plane.kubeconfig_for(users.OPERATOR)
        self._process: subprocess.Popen[bytes] | None = None
        self._words = [
            *(sys.executable, "-m", "kubetune", "operator"),
            f"--storage={self.storage}",
            *([f"--prometheus={prometheus}"] if prometheus else []),
            *(f"--namespace={namespace}" for namespace in namespaces),
            f"--health-address=127.0.0.1:{self.health_port}",
            f"--metrics-address=127.0.0.1:{self.metrics_port}",
            *options,
        ]

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """All that it has logged, over all its starts."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def start(self, *, wait: bool = True) -> None:
        """Starts it; returns when it says that it is well."""
        environment = {**os.environ, "KUBECONFIG": str(self._kubeconfig)}
        with self.log_path.open("ab") as log:
            self._process = subprocess.Popen(
                self._words, env=environment, stdout=log, stderr=log, start_new_session=True
            )
        if wait:
            wait_until(lambda: not self.alive or self.healthy(), "the operator")
            if not self.alive:
                raise RuntimeError(
                    f"the operator ended at its start; its log ends:\n{self.log[-3000:]}"
                )

    def healthy(self) -> bool:
        """Whether its liveness probe passes."""
        try:
            return bool(self.get(self.health_port, "/healthz"))
        except (URLError, OSError):
            return False

    def metrics(self) -> str:
        """What it shows to Prometheus."""
        return self.get(self.metrics_port, "/metrics")

    def get(self, port: int, path: str) -> str:
        """What one of its ports answers."""
        with urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return str(answer.read().decode())

    def kill(self) -> None:
        """A crash: no warning, no last words."""
        self._end(signal.SIGKILL, 10)

    def stop(self, *, grace_seconds: float = 30) -> int:
        """As Kubernetes stops a pod; its exit code."""
        return self._end(signal.SIGTERM, grace_seconds)

    def _end(self, number: signal.Signals, grace_seconds: float) -> int:
        if self._process is None:
            return 0
        if self.alive:
            self._process.send_signal(number)
        try:
            return self._process.wait(grace_seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise


@contextmanager
def running(operator: OperatorProcess) -> Iterator[OperatorProcess]:
    """Starts an operator and ends it with the block; a refused right fails whoever needed it."""
    before = len(operator.plane.requests_of())
    operator.start()
    try:
        yield operator
    finally:
        operator.kill()
    forbidden = [one for one in operator.plane.requests_of()[before:] if one.lacks_right]
    assert not forbidden, f"the operator lacks rights: {forbidden[:5]}"


def status_of(plane: ControlPlane, namespace: str, name: str) -> dict[str, Any]:
    """A study's status."""
    path = f"/apis/kubetune.io/v1alpha1/namespaces/{namespace}/tuningstudies/{name}"
    found: dict[str, Any] = plane.request("GET", path).get("status") or {}
    return found
