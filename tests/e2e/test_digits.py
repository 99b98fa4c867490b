"""The first example on a real cluster: the same file, byte for byte, that `kubetune run` takes."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cluster import binaries
from tests.cluster.cluster import Cluster
from tests.cluster.operators import OperatorProcess, grant, running, status_of
from tests.cluster.requests import wait_until

REPOSITORY = Path(__file__).parents[2]
HOW_TO = (REPOSITORY / "docs" / "how-to" / "run-the-operator.md").read_text()

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
    shell = Shell(cluster, namespace, tmp_path)
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
    options = re.findall(r"--[a-z-]+", _block("start")) + re.findall(
        r"^\| `(--[a-z-]+)", HOW_TO, re.MULTILINE
    )
    words = [sys.executable, "-m", "kubetune", "operator", "--help"]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    assert options
    assert [option for option in options if option not in shown] == []


class Shell:
    """Runs the how-to's blocks where kubectl knows the cluster and the namespace."""

    def __init__(self, cluster: Cluster, namespace: str, folder: Path) -> None:
        kubeconfig = json.loads(cluster.plane.kubeconfig.read_text())
        for context in kubeconfig["contexts"]:
            context["context"]["namespace"] = namespace
        path = folder / "kubeconfig"
        path.write_text(json.dumps(kubeconfig))
        programs = (Path(sys.executable).parent, Path(binaries.find()["kubectl"].path).parent)
        path_of_programs = ":".join([*map(str, programs), os.environ["PATH"]])
        self._environment = {**os.environ, "KUBECONFIG": str(path), "PATH": path_of_programs}

    def run(self, name: str, **instead: str) -> str:
        """What a block prints; `instead` replaces what is another one's in the document."""
        text = _block(name)
        for old, new in instead.items():
            assert old in text
            text = text.replace(old, new)
        done = subprocess.run(
            ["sh", "-e", "-c", text],
            cwd=REPOSITORY,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def _block(name: str) -> str:
    (text,) = re.findall(rf"^```sh {name}\n(.*?)^```", HOW_TO, re.MULTILINE | re.DOTALL)
    return str(text)


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
