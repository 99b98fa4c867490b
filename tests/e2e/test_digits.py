"""The first example on a real cluster: the same file, byte for byte, that `kubetune run` takes."""

from pathlib import Path

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.operators import OperatorProcess, grant, running, status_of
from tests.cluster.requests import wait_until

MANIFEST = Path(__file__).parents[2] / "examples" / "01-digits" / "study.yaml"

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

    The namespace gives a GPU to each container, as an administrator would: the manifest is the
    quickstart's own.
    """
    plane, namespace = cluster.plane, cluster_namespace
    grant(plane)
    plane.apply(ONE_GPU, namespace)
    operator = OperatorProcess(
        plane, tmp_path, namespaces=[namespace], prometheus=cluster.prometheus.url
    )
    with running(operator):
        plane.apply(MANIFEST, namespace)
        _see_gpus(cluster, namespace)
        plane.kubectl(
            *("wait", "tstudy/digits", "-n", namespace),
            *("--for=condition=Succeeded", "--timeout=600s"),
        )
        status = status_of(plane, namespace, "digits")
        _check(status)
        row = plane.kubectl("get", "tstudy", "digits", "-n", namespace, "--no-headers").split()
        assert row[1:3] == ["Succeeded", "True"]
        assert float(row[3]) == status["best"]["value"]
        jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        wait_until(lambda: not plane.request("GET", jobs)["items"], "finished Jobs to be removed")


def _see_gpus(cluster: Cluster, namespace: str) -> None:
    """Two pods run at once, on two GPUs."""
    path = f"/api/v1/namespaces/{namespace}/pods"

    def both() -> bool:
        pods = cluster.plane.request("GET", path)["items"]
        limits = [pod["spec"]["containers"][0]["resources"]["limits"] for pod in pods]
        assert all(limit.get("nvidia.com/gpu") == "1" for limit in limits)
        return sum(pod["status"].get("phase") == "Running" for pod in pods) == 2

    wait_until(both, "two trials to run at once")


def _check(status: dict) -> None:
    counts, best = status["trials"], status["best"]
    assert counts["total"] == 16
    assert counts["active"] == 0
    assert counts["pruned"] > 0
    assert counts["complete"] > 0
    assert best["value"] > 0.97
    assert best["parameters"]["optimizer"] in {"sgd", "momentum", "adam"}
    assert best["improvement"] > 0
    assert not status.get("active")
