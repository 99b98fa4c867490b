"""The first example on a real cluster: the same file, byte for byte, that `kubetune run` takes."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.operators import OperatorProcess, grant, running, status_of
from tests.cluster.requests import wait_until
from tests.e2e.shell import Shell, block

REPOSITORY = Path(__file__).parents[2]
HOW_TO = REPOSITORY / "docs" / "how-to" / "run-the-operator.md"

ONE_GPU = {
    "apiVersion": "v1",
    "kind": "LimitRange",
    "metadata": {"name": "one-gpu-a-container"},
    "spec": {"limits": [{"type": "Container", "default": {"nvidia.com/gpu": "1"}}]},
}


@pytest.mark.timeout(900)
def test_digits_are_tuned_on_a_cluster(
    cluster: Cluster, cluster_namespace: str, tmp_path: Path
) -> None:
    """Real pods with a GPU each train, Prometheus scrapes them, ASHA stops some, the best is told.

    By the how-to's own commands. The namespace gives a GPU to each container, as an administrator
    would: the manifest is the quickstart's own.
    """
    plane, namespace = cluster.plane, cluster_namespace
    shell = Shell(HOW_TO, cluster, namespace, tmp_path)
    grant(plane)
    plane.apply(ONE_GPU, namespace)
    shell.run("crd")
    operator = OperatorProcess(
        plane, tmp_path, namespaces=[namespace], prometheus=cluster.prometheus.url
    )
    with running(operator):
        shell.run("apply")
        _see_gpus(cluster, namespace)
        assert "optimizer" in shell.run("watch")
        status = status_of(plane, namespace, "digits")
        _check(status)
        row = plane.kubectl("get", "tstudy", "digits", "-n", namespace, "--no-headers").split()
        assert row[1:3] == ["Succeeded", "True"]
        assert float(row[3]) == status["best"]["value"]
        trials = shell.run("trials", **{"sqlite:////tmp/kubetune.db": operator.storage})
        assert len(re.findall(r"Complete|Pruned|Failed", trials)) >= 16
        shell.run("results", **{"-o report": f"-o {tmp_path / 'report'}"})
        best = (tmp_path / "report" / "best_config.yaml").read_text()
        assert best == shell.run("configmap")
        jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        wait_until(lambda: not plane.request("GET", jobs)["items"], "finished Jobs to be removed")


def test_the_how_to_starts_an_operator_as_it_is(tmp_path: Path) -> None:
    """Every option that the how-to starts the operator with is one that it has."""
    options = re.findall(r"--[a-z-]+", block(HOW_TO, "start")) + re.findall(
        r"^\| `(--[a-z-]+)", HOW_TO.read_text(), re.MULTILINE
    )
    words = [sys.executable, "-m", "kubetune", "operator", "--help"]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert options
    assert [option for option in options if option not in shown] == []


def _see_gpus(cluster: Cluster, namespace: str) -> None:
    """Two pods run at once, on two GPUs."""
    path = f"/api/v1/namespaces/{namespace}/pods"

    def both() -> bool:
        pods = cluster.plane.request("GET", path)["items"]
        limits = [pod["spec"]["containers"][0]["resources"]["limits"] for pod in pods]
        assert all(limit.get("nvidia.com/gpu") == "1" for limit in limits)
        return sum(pod["status"].get("phase") == "Running" for pod in pods) == 2

    wait_until(both, "two trials to run at once")


def _check(status: dict[str, Any]) -> None:
    counts, best = status["trials"], status["best"]
    assert counts["total"] == 16
    assert counts["active"] == 0
    assert counts["pruned"] > 0
    assert counts["complete"] > 0
    assert best["value"] > 0.97
    assert best["parameters"]["optimizer"] in {"sgd", "momentum", "adam"}
    assert best["improvement"] > 0
    assert not status.get("active")
