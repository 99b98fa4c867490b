"""The chart's life on a real cluster: helm installs, upgrades and takes it away, studies go on.

The operator runs in a pod of the image that its Dockerfile makes, with the chart's rights alone.
"""

import json
import shlex
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
from tests.e2e.shell import Shell

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to" / "install-on-a-cluster.md"

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
    manifest = {
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
    cluster.plane.apply(manifest, namespace)


def study(cluster: Cluster, namespace: str, name: str) -> dict[str, Any]:
    path = f"/apis/kubetune.io/v1alpha1/namespaces/{namespace}/tuningstudies/{name}"
    found: dict[str, Any] = cluster.plane.request("GET", path)
    return found


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


def test_the_chart_s_life_as_its_page_tells_it(release: Installed, tmp_path: Path) -> None:
    """Install, upgrade, tune, uninstall, install again: by the how-to's own commands.

    An upgrade from an earlier chart leaves every trial running. The example succeeds, and the
    operator asks for nothing that the chart's own rights refuse. Before it goes, trials are
    stopped; what is left are the definition and the database, with which the next one goes on.
    """
    cluster, plane = release.cluster, release.plane
    shell = Shell(HOW_TO, cluster, "default", tmp_path)
    fitting = shlex.join(release.words())
    said = shell.run(
        "install",
        **{
            "charts/kubetune": f"{earlier(tmp_path)} {fitting}",
            "http://prometheus-operated.monitoring:9090": cluster.node.prometheus_url,
        },
    )
    assert "kubectl apply -n NAMESPACE -f study.yaml" in said
    first = {pod["metadata"]["name"] for pod in release.pods()}
    team = plane.create_namespace("team")
    lasting(cluster, team, "lasting")
    wait_until(lambda: len(jobs(cluster, team)) == 2, "two Jobs")
    running = {job["metadata"]["uid"] for job in jobs(cluster, team)}
    shell.run("upgrade", **{"--wait": "--wait --set=podAnnotations.upgraded=yes"})
    assert first.isdisjoint(pod["metadata"]["name"] for pod in release.pods())
    row = shell.run("tune").splitlines()[-1].split()
    assert row[:3] == ["digits", "Succeeded", "True"], release.log()
    status = status_of(plane, "team-a", "digits")
    assert status["trials"]["total"] == 16
    assert not any(trial.get("reason") == "Disrupted" for trial in status["recent"])
    assert running == {job["metadata"]["uid"] for job in jobs(cluster, team)}
    asked = plane.requests_of(f"system:serviceaccount:{release.namespace}:{RELEASE}")
    assert asked
    assert not [one for one in asked if one.lacks_right]

    shell.run("uninstall")
    assert jobs(cluster, team) == []
    assert study(cluster, team, "lasting")["spec"]["suspend"] is True
    assert study(cluster, team, "lasting")["status"]["phase"] == "Suspended"
    left = {
        "CustomResourceDefinition/tuningstudies.kubetune.io",
        f"PersistentVolumeClaim/{RELEASE}",
    }
    wait_until(lambda: of_the_chart(cluster) == left, "all but the definition and data to go")
    release.install()
    go_on = {"spec": {"suspend": False}}
    path = f"/apis/kubetune.io/v1alpha1/namespaces/{team}/tuningstudies/lasting"
    plane.request("PATCH", path, go_on, "application/merge-patch+json")
    wait_until(lambda: len(jobs(cluster, team)) == 2, "its trials to go on")
    assert study(cluster, team, "lasting")["status"]["trials"]["total"] == 2
    release.helm("uninstall", RELEASE)


def test_without_a_claim_to_keep_only_the_definition_stays(release: Installed) -> None:
    """Whatever kind the cluster knows: nothing else bears the release's label."""
    release.install(**{"storage.sqlite.keep": False, "rbac.scope": "Cluster"})
    release.helm("uninstall", RELEASE)
    left = {"CustomResourceDefinition/tuningstudies.kubetune.io"}
    wait_until(lambda: of_the_chart(release.cluster) == left, "all but the definition to go")
