"""Names trial pods to Prometheus as its own Kubernetes discovery would, label for label.

Debian's Prometheus is built without that discovery. `python -m tests.cluster.discovery FOLDER`
plays its part: it asks for the pods twice a second and writes a file of targets.
"""

import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.cluster import users
from tests.cluster.control_plane import ControlPlane
from tests.cluster.home import Home
from tests.cluster.requests import Refused

_PODS = "/api/v1/pods?labelSelector=app.kubernetes.io/managed-by%3Dkubetune"
_PAUSE_SECONDS = 0.5


def targets(pods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One target for each named port of each pod that has an address."""
    return [target for pod in pods for target in _of(pod)]


def _of(pod: dict[str, Any]) -> Iterator[dict[str, Any]]:
    metadata, status = pod["metadata"], pod["status"]
    about = {
        "__meta_kubernetes_namespace": metadata["namespace"],
        "__meta_kubernetes_pod_name": metadata["name"],
        "__meta_kubernetes_pod_phase": status.get("phase", ""),
    }
    for name, value in metadata.get("labels", {}).items():
        about["__meta_kubernetes_pod_label_" + re.sub(r"\W", "_", name)] = value
    for container in pod["spec"]["containers"]:
        for port in container.get("ports", ()):
            if status.get("podIP"):
                yield {
                    "targets": [f"{status['podIP']}:{port['containerPort']}"],
                    "labels": {
                        **about,
                        "__meta_kubernetes_pod_container_port_name": port.get("name", ""),
                    },
                }


def main() -> None:
    """Goes on until it is ended, with or without an API server."""
    home = Home(Path(sys.argv[1]))
    server = ControlPlane(home).server(users.PROMETHEUS)
    file = home.folder / "prometheus" / "pods.json"
    while True:
        with suppress(OSError, Refused):
            text = json.dumps(targets(server.json("GET", _PODS)["items"]))
            if not file.exists() or file.read_text() != text:
                draft = file.with_suffix(".new")
                draft.write_text(text)
                draft.replace(file)
        time.sleep(_PAUSE_SECONDS)


if __name__ == "__main__":
    main()
