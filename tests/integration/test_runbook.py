"""The runbook's commands are ones that a real API server takes."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import binaries, users
from tests.cluster.control_plane import ControlPlane
from tests.integration.crd.manifests import BASE
from tests.integration.test_docs import REPOSITORY, blocks

RUNBOOK = REPOSITORY / "docs" / "how-to" / "runbook.md"
NAMES = "names"
SHELL = {head.removeprefix("sh "): text for head, text in blocks(RUNBOOK) if head.startswith("sh ")}

NO_NODE = "does not have a host assigned"
"""What `kubectl logs` comes to where a pod has no node: it has found the pod."""

LABELS = {"app.kubernetes.io/name": "kubetune"}

OPERATOR = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "kubetune"},
    "spec": {
        "selector": {"matchLabels": LABELS},
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {"containers": [{"name": "operator", "image": "none", "args": ["operator"]}]},
        },
    },
}


@pytest.fixture(scope="module")
def place(studies: ControlPlane) -> Iterator[ControlPlane]:
    """An operator as the chart names it, with a pod that no node runs, and the runbook's study."""
    studies.kubectl("create", "namespace", "kubetune-system")
    studies.kubectl("create", "namespace", "team-a")
    studies.apply(OPERATOR, "kubetune-system")
    studies.apply(BASE, "team-a")
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "digits-0"},
        "spec": {"containers": [{"name": "trainer", "image": "none"}]},
    }
    studies.apply(pod, "team-a")
    yield studies
    for name in ("kubetune-system", "team-a"):
        studies.delete_namespace(name, wait=True)


@pytest.mark.parametrize("name", SHELL)
def test_each_command_is_taken(place: ControlPlane, name: str) -> None:
    """With the names that the runbook begins with, on a cluster where the operator has no node."""
    kubectl = Path(binaries.find()["kubectl"].path).parent
    environment = {
        **os.environ,
        "KUBECONFIG": str(place.kubeconfig_for(users.ADMIN)),
        "PATH": f"{kubectl}:{Path(sys.executable).parent}:{os.environ['PATH']}",
        "POD": "digits-0",
    }
    first = SHELL[NAMES].splitlines()[0]
    for line in SHELL[name].splitlines():
        done = subprocess.run(
            ["sh", "-e", "-c", f"{first}\n{line}"],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        without_node = line.startswith("kubectl logs") and NO_NODE in done.stderr
        assert done.returncode == 0 or without_node, f"{line}\n{done.stderr}"
