"""What Kopf would do wrong if one let it. A stranger's peering is there all the while."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster import users
from tests.cluster.control_plane import ControlPlane
from tests.cluster.faults import Answer, Cut, CutStream
from tests.cluster.operators import OperatorProcess, grant, running, status_of
from tests.cluster.proxy import Proxy, proxied
from tests.cluster.requests import Refused, wait_until
from tests.integration.operator.played import STUDIES, Ending, ended, manifest, played_pods

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WATCHES = "watch=true"


class Place:
    """An operator behind a proxy, and a namespace whose pods are played."""

    def __init__(self, plane: ControlPlane, namespace: str, proxy: Proxy, ending: Ending) -> None:
        self.plane, self.namespace, self.proxy, self.ending = plane, namespace, proxy, ending

    def make(self, name: str, **spec: Any) -> None:
        self.plane.request("POST", STUDIES.format(self.namespace), manifest(name, **spec))

    def read(self, name: str) -> dict[str, Any]:
        return dict(self.plane.request("GET", f"{STUDIES.format(self.namespace)}/{name}"))

    def until_ended(self, name: str) -> dict[str, Any]:
        wait_until(ended(lambda: status_of(self.plane, self.namespace, name)), f"{name}'s end")
        return dict(status_of(self.plane, self.namespace, name))

    def list(self, path: str) -> list[dict[str, Any]]:
        return list(self.plane.request("GET", path.format(self.namespace))["items"])


@pytest.fixture(scope="module")
def place(studies: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One operator for all tests here; its first watches of each kind are cut in their midst."""
    grant(studies)
    _peer(studies)
    namespace = studies.create_namespace()
    folder = tmp_path_factory.mktemp("operator")
    with proxied(studies) as proxy, played_pods(studies, namespace) as ending:
        for kind in ("tuningstudies", "jobs", "pods"):
            proxy.add(CutStream(after_bytes=3000), "GET", f"{kind}.*{WATCHES}", count=3)
        operator = OperatorProcess(
            studies,
            folder,
            namespaces=[namespace],
            kubeconfig=proxy.kubeconfig_for(users.OPERATOR),
            options=["--resync-seconds=1"],
        )
        with running(operator):
            yield Place(studies, namespace, proxy, ending)
    studies.delete_namespace(namespace)
    studies.request("DELETE", f"{CRDS}/clusterkopfpeerings.kopf.dev")


def _peer(plane: ControlPlane) -> None:
    """A peering of somebody else, under the name that Kopf looks for, with a higher priority."""
    group = "kopf.dev"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema},
    }
    names = {
        "kind": "ClusterKopfPeering",
        "plural": "clusterkopfpeerings",
        "singular": "clusterkopfpeering",
    }
    crd = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"clusterkopfpeerings.{group}"},
        "spec": {"group": group, "names": names, "scope": "Cluster", "versions": [version]},
    }
    plane.request("POST", CRDS, crd)
    peer = {"priority": 1000, "lifetime": 100_000, "lastseen": "2099-01-01T00:00:00"}
    peering = {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterKopfPeering",
        "metadata": {"name": "default"},
        "status": {"stranger": peer},
    }
    path = f"/apis/{group}/v1/clusterkopfpeerings"

    def made() -> bool:
        try:
            plane.request("POST", path, peering)
        except Refused:
            return False
        return True

    wait_until(made, "a stranger's peering")


def test_cut_watches_and_a_strangers_peering_stop_nothing(place: Place) -> None:
    """The study is tuned to its end; each watch was begun anew where it had been cut."""
    place.make("cut")
    assert place.until_ended("cut")["trials"]["complete"] == 3
    assert len(place.proxy.requests("GET", "/tuningstudies$")) > 1


@pytest.mark.parametrize("status", [500, 422])
def test_a_status_that_is_refused_ends_no_loop(place: Place, status: int) -> None:
    """It is written once the API server takes it again; nothing is drawn twice for it."""
    name = f"refused-{status}"
    rule = place.proxy.add(Answer(status), "PATCH", f"{name}/status", count=3)
    place.make(name)
    counts = place.until_ended(name)["trials"]
    assert rule.hits == 3
    assert (counts["total"], counts["complete"]) == (3, 3)


def test_a_study_goes_on_where_lists_and_watches_fail(place: Place) -> None:
    """An API server that cuts what it has carried out, refuses and is busy: all is tried again."""
    for fault in (Answer(500), Answer(403), Answer(429), Cut(), Cut(carried_out=True)):
        place.proxy.add(fault, "POST", "/jobs$")
        place.proxy.add(fault, "GET", WATCHES)
    place.make("troubled", trials={"max": 8, "parallelism": 2})
    counts = place.until_ended("troubled")["trials"]
    place.proxy.clear()
    assert counts["total"] == 8


def test_nothing_of_kopf_is_on_any_object(place: Place) -> None:
    """No annotation, finalizer or label but ours; of the study only its status is written."""
    place.ending.on.clear()
    place.make("clean")
    pods = "/api/v1/namespaces/{}/pods"
    wait_until(lambda: len(place.list(pods)) == 2, "two pods")
    wait_until(lambda: place.read("clean").get("status"), "a status")
    found = [place.read("clean"), *place.list("/apis/batch/v1/namespaces/{}/jobs")]
    for body in (*found, *place.list(pods)):
        meta = body["metadata"]
        keys = {*meta.get("annotations", {}), *meta.get("labels", {})}
        assert not [key for key in keys if "kopf" in key]
        assert set(meta.get("finalizers", ())) <= {"batch.kubernetes.io/job-tracking"}
    study = place.read("clean")["metadata"]
    assert "annotations" not in study
    assert "finalizers" not in study
    kubetune = [each for each in study["managedFields"] if each["manager"] == "kubetune"]
    assert [each["subresource"] for each in kubetune] == ["status"]
    place.ending.on.set()
    place.until_ended("clean")


def test_a_spec_that_changes_as_the_study_ends_is_followed(place: Place) -> None:
    """Raising trials.max just when the last status is written opens the study again."""
    place.make("late")
    place.until_ended("late")
    spec = {"spec": {"trials": {"max": 5}}}
    path = f"{STUDIES.format(place.namespace)}/late"
    place.plane.request("PATCH", path, spec, "application/merge-patch+json")
    wait_until(lambda: place.read("late")["status"]["trials"]["complete"] == 5, "five trials")
