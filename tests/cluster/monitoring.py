"""The Prometheus operator's own definitions of PodMonitor, ServiceMonitor and PrometheusRule."""

import json
import subprocess
from pathlib import Path

from tests.cluster import golang
from tests.cluster.control_plane import ControlPlane
from tests.cluster.requests import wait_until

KINDS = ("PodMonitor", "ServiceMonitor", "PrometheusRule")

_MODULE = "github.com/prometheus-operator/prometheus-operator@v0.85.0"


def apply(plane: ControlPlane) -> None:
    """Lets a cluster know the kinds, as one has in which the Prometheus operator was installed."""
    for kind in KINDS:
        file = _folder() / f"monitoring.coreos.com_{kind.lower()}s.yaml"
        plane.kubectl("apply", "--server-side", "-f", str(file))
    plane.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
    wait_until(lambda: plane.server().healthy("/apis/monitoring.coreos.com/v1"), "the kinds")


def options() -> list[str]:
    """What tells `helm template` that a cluster knows the kinds."""
    return [f"--api-versions=monitoring.coreos.com/v1/{kind}" for kind in KINDS]


def _folder() -> Path:
    words = [golang.go(), "mod", "download", "-json", _MODULE]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    return Path(json.loads(done.stdout)["Dir"]) / "example" / "prometheus-operator-crd"
