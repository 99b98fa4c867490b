"""A real Prometheus that scrapes trials as one in a cluster does, every second."""

import json
import shutil
import sys
import urllib.parse
from pathlib import Path
from typing import Any

from tests.cluster import processes
from tests.cluster.control_plane import ControlPlane
from tests.cluster.requests import Server, wait_until

_ROOT = Path(__file__).parents[2]

_RIGHTS = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRole",
    "metadata": {"name": "tests:prometheus"},
    "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}],
}
_BINDING = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "ClusterRoleBinding",
    "metadata": {"name": "tests:prometheus"},
    "roleRef": {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": "tests:prometheus",
    },
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": "prometheus"}],
}


class Prometheus:
    """Finds trial pods by their label and port name, and whatever `set_targets` names."""

    def __init__(self, plane: ControlPlane) -> None:
        self.plane = plane
        self.url = f"http://127.0.0.1:{plane.home.port('prometheus')}"

    def start(self) -> None:
        """Starts it on the port it always has, with the data it had; returns when it answers.

        Raises:
            RuntimeError: it is not installed, or it ended; the message says what to do.
        """
        program = shutil.which("prometheus")
        if program is None:
            raise RuntimeError("prometheus is missing: make cluster-tools")
        folder = self.plane.home.make("prometheus")
        for role in (_RIGHTS, _BINDING):
            self.plane.apply(role)
        if not (folder / "targets.json").exists():
            self.set_targets()
        (folder / "settings.json").write_text(json.dumps(self._settings(), indent=1))
        script = [sys.executable, "-m", "tests.cluster.discovery", str(self.plane.home.folder)]
        self._run("discovery", script)
        running = self._run(
            "prometheus",
            [
                program,
                f"--config.file={folder / 'settings.json'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={self.url.removeprefix('http://')}",
                "--log.level=warn",
            ],
        )
        wait_until(lambda: not running.alive or self.healthy(), "Prometheus")
        if not running.alive:
            raise RuntimeError(f"Prometheus ended:\n{self.plane.log_tail('prometheus')}")

    def stop(self, *, grace_seconds: float = 10.0) -> None:
        """Stops it; `start` brings it back at the same address."""
        self.plane.stop_component("discovery", grace_seconds=0)
        self.plane.stop_component("prometheus", grace_seconds=grace_seconds)

    def healthy(self) -> bool:
        """Whether it takes queries."""
        return Server(self.url).healthy("/-/ready")

    def set_targets(self, *addresses: str, **labels: str) -> None:
        """Scrapes these `host:port` too, in place of those named before."""
        folder = self.plane.home.make("prometheus")
        draft = folder / "targets.new"
        draft.write_text(json.dumps([{"targets": list(addresses), "labels": labels}]))
        draft.replace(folder / "targets.json")

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query: `metric` with the labels, `value` with time and text.

        Raises:
            Refused: the expression is wrong.
        """
        path = "/api/v1/query?" + urllib.parse.urlencode({"query": expression})
        answer = Server(self.url).json("GET", path)
        return list(answer["data"]["result"])

    def query_range(
        self, expression: str, start: float, end: float, step: float
    ) -> list[dict[str, Any]]:
        """The series of a range query: `metric` with the labels, `values` with times and texts.

        Raises:
            Refused: the expression is wrong.
        """
        asked = {"query": expression, "start": start, "end": end, "step": step}
        path = "/api/v1/query_range?" + urllib.parse.urlencode(asked)
        answer = Server(self.url).json("GET", path)
        return list(answer["data"]["result"])

    def _run(self, name: str, words: list[str]) -> processes.Record:
        running = processes.read(self.plane.home.folder, name)
        if running and running.alive:
            return running
        path = {"PYTHONPATH": str(_ROOT)}
        return processes.start(self.plane.home.folder, name, words, path)

    def _settings(self) -> dict[str, Any]:
        folder = self.plane.home.folder / "prometheus"
        pod = "__meta_kubernetes_pod_"
        managed = f"{pod}label_app_kubernetes_io_managed_by"
        trials = {
            "job_name": "trials",
            "file_sd_configs": [{"files": [f"{folder}/pods.json"], "refresh_interval": "1s"}],
            "relabel_configs": [
                {"action": "keep", "source_labels": [managed], "regex": "kubetune"},
                {
                    "action": "keep",
                    "source_labels": [f"{pod}container_port_name"],
                    "regex": "metrics",
                },
                {
                    "action": "drop",
                    "source_labels": [f"{pod}phase"],
                    "regex": "Pending|Succeeded|Failed",
                },
                {"action": "labelmap", "regex": f"{pod}label_(kubetune_io_.+)"},
                {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
                {"source_labels": [f"{pod}name"], "target_label": "pod"},
            ],
        }
        named = {
            "job_name": "named",
            "file_sd_configs": [{"files": [f"{folder}/targets.json"], "refresh_interval": "1s"}],
        }
        return {
            "global": {
                "scrape_interval": "1s",
                "scrape_timeout": "1s",
                "evaluation_interval": "1s",
            },
            "scrape_configs": [trials, named],
        }
