"""The chart's life on a real cluster: helm installs, upgrades and takes it away, studies go on.

The operator runs in a pod of the image that its Dockerfile makes, with the chart's rights alone.
"""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cluster.cluster import Cluster
from tests.cluster.helm import CHART
from tests.cluster.operators import status_of
from tests.cluster.requests import wait_until
from tests.e2e.installed import RELEASE, Installed, bare_cluster

EXAMPLE = Path(__file__).parents[2] / "examples" / "01-digits" / "study.yaml"
SECONDS = 300

pytestmark = pytest.mark.timeout(900)


@pytest.fixture(scope="module")
def bare(worker_name: str) -> Iterator[Cluster]:
    """A cluster into which nothing of ours was installed."""
    with bare_cluster(f"chart-{worker_name}") as cluster:
        yield cluster


@pytest.fixture
def release(bare: Cluster, tmp_path: Path) -> Iterator[Installed]:
    """Not installed yet; nothing of it is left for the next test."""
    release = Installed(bare, tmp_path / "data")
    yield release
    release.remove()


def earlier(folder: Path) -> Path:
    """The chart as an earlier version, with an operator that is another Deployment."""
    chart = Path(shutil.copytree(CHART, folder / "kubetune"))
    about = (chart / "Chart.yaml").read_text()
    (chart / "Chart.yaml").write_text(about.replace("\nversion: ", "\nversion: 0.0.9+"))
    return chart


def lasting(cluster: Cluster, namespace: str, name: str) -> None:
    """A study whose trials end only when they are told to."""
    trainer = {
        "name": "trainer",
        "image": "busybox:latest",
        "imagePullPolicy": "Never",
        "command": ["sh", "-c", "trap 'exit 143' TERM; while true; do sleep 0.1; done"],
    }
    study = {
        "apiVersion": "kubetune.io/v1alpha1",
        "kind": "TuningStudy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {
            "objectives": [{"metric": "loss", "direction": "Minimize"}],
            "parameters": [{"name": "x", "type": "Double", "min": 0, "max": 1}],
            "trials": {"max": 8, "parallelism": 2},
            "trialTemplate": {"spec": {"containers": [trainer]}},
        },
    }
    cluster.plane.apply(study, namespace)


def active(cluster: Cluster, namespace: str, name: str) -> int:
    return int((status_of(cluster.plane, namespace, name).get("trials") or {}).get("active", 0))


def jobs(cluster: Cluster, namespace: str) -> list[dict[str, Any]]:
    path = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    return list(cluster.plane.request("GET", path)["items"])


def of_the_chart(cluster: Cluster) -> set[str]:
    """`kind/name` of every object on the cluster that the release made."""
    plane = cluster.plane
    kinds = plane.kubectl("api-resources", "--verbs=list,delete", "-o", "name").split()
    asked = [kind for kind in kinds if kind not in {"events", "events.events.k8s.io"}]
    label = f"-lapp.kubernetes.io/instance={RELEASE}"
    said = plane.kubectl("get", ",".join(asked), "-A", label, "-o", "json")
    items = json.loads(said)["items"]
    return {f"{each['kind']}/{each['metadata']['name']}" for each in items}


def test_an_example_succeeds_while_the_chart_is_upgraded(
    release: Installed, tmp_path: Path
) -> None:
    """`helm install`, `kubectl apply`, `helm upgrade`: no trial is lost, doubled or ended by it.

    The operator asks for nothing that the chart's own rights refuse.
    """
    cluster, plane = release.cluster, release.plane
    assert "kubectl apply -n NAMESPACE -f study.yaml" in release.install(chart=earlier(tmp_path))
    first = {pod["metadata"]["name"] for pod in release.pods()}
    team = plane.create_namespace("team")
    plane.apply(EXAMPLE, team)
    wait_until(lambda: active(cluster, team, "digits") == 2, "two trials to run")
    running = {job["metadata"]["uid"] for job in jobs(cluster, team)}
    release.install(podAnnotations={"upgraded": "yes"})
    assert first.isdisjoint(pod["metadata"]["name"] for pod in release.pods())
    assert running & {job["metadata"]["uid"] for job in jobs(cluster, team)}, "it is too late"
    study = f"/apis/kubetune.io/v1alpha1/namespaces/{team}/tuningstudies/digits"
    wait_until(lambda: status_of(plane, team, "digits").get("completionTime"), "its end", SECONDS)
    status = plane.request("GET", study)["status"]
    assert status["phase"] == "Succeeded", release.log()
    assert status["trials"]["total"] == 16
    assert not any(trial["reason"] == "Disrupted" for trial in status["recent"])
    account = f"system:serviceaccount:{release.namespace}:{RELEASE}"
    asked = plane.requests_of(account)
    assert asked
    assert not [one for one in asked if one.lacks_right]
    release.helm("uninstall", RELEASE)
    assert of_the_chart(cluster) == {
        "CustomResourceDefinition/tuningstudies.kubetune.io",
        f"PersistentVolumeClaim/{RELEASE}",
    }
    plane.delete_namespace(team)


def test_before_it_goes_trials_are_stopped(release: Installed) -> None:
    """`helm uninstall` suspends every study and waits for its trials; then only the CRD is left.

    Installed again, with the same database, it goes on with them.
    """
    cluster, plane = release.cluster, release.plane
    release.install(**{"storage.sqlite.keep": False})
    team = plane.create_namespace("team")
    lasting(cluster, team, "lasting")
    wait_until(lambda: active(cluster, team, "lasting") == 2, "two trials to run")
    wait_until(lambda: len(jobs(cluster, team)) == 2, "their Jobs")
    release.helm("uninstall", RELEASE)
    assert jobs(cluster, team) == []
    path = f"/apis/kubetune.io/v1alpha1/namespaces/{team}/tuningstudies/lasting"
    assert plane.request("GET", path)["spec"]["suspend"] is True
    assert status_of(plane, team, "lasting")["phase"] == "Suspended"
    assert of_the_chart(cluster) == {"CustomResourceDefinition/tuningstudies.kubetune.io"}
    plane.delete_namespace(team)
