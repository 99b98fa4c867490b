"""What Kopf would do wrong if one let it. A stranger's peering is there all the while."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cluster import users
from tests.cluster.control_plane import ControlPlane
from tests.cluster.faults import Answer, Cut, CutStream
from tests.cluster.operators import OperatorProcess, grant, running
from tests.cluster.proxy import Proxy, proxied
from tests.cluster.requests import Refused, wait_until
from tests.integration.operator.stage import Play, Study, below, completes, played

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
WATCHES = "watch=true"


class Place:
    """An operator behind a proxy, and a namespace whose pods are played."""

    def __init__(self, plane: ControlPlane, namespace: str, proxy: Proxy, play: Play) -> None:
        self.plane, self.namespace, self.proxy, self.play = plane, namespace, proxy, play

    def study(self, name: str, **spec: Any) -> Study:
        return Study(self.plane, self.namespace, name, **spec)

    def list(self, path: str) -> list[dict[str, Any]]:
        return list(self.plane.request("GET", path.format(self.namespace))["items"])


@pytest.fixture(scope="module")
def place(studies: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One operator for all tests here; its first watches of each kind are cut in their midst."""
    grant(studies)
    _peer(studies)
    namespace = studies.create_namespace()
    folder = tmp_path_factory.mktemp("operator")
    with proxied(studies) as proxy, played(studies, namespace) as play:
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
            yield Place(studies, namespace, proxy, play)
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
    assert place.study("cut").finish()["trials"]["complete"] == 3
    assert len(place.proxy.requests("GET", "/tuningstudies$")) > 1


@pytest.mark.parametrize("status", [500, 422])
def test_a_status_that_is_refused_ends_no_loop(place: Place, status: int) -> None:
    """It is written once the API server takes it again; nothing is drawn twice for it."""
    name = f"refused-{status}"
    rule = place.proxy.add(Answer(status), "PATCH", f"{name}/status", count=3)
    counts = place.study(name).finish()["trials"]
    assert rule.hits == 3
    assert (counts["total"], counts["complete"]) == (3, 3)


def test_a_study_goes_on_where_lists_and_watches_fail(place: Place) -> None:
    """An API server that cuts what it has carried out, refuses and is busy: all is tried again."""
    for fault in (Answer(500), Answer(403), Answer(429), Cut(), Cut(carried_out=True)):
        place.proxy.add(fault, "POST", "/jobs$")
        place.proxy.add(fault, "GET", WATCHES)
    counts = place.study("troubled", trials={"max": 8, "parallelism": 2}).finish()["trials"]
    place.proxy.clear()
    assert counts["total"] == 8


def test_nothing_of_kopf_is_on_any_object(place: Place) -> None:
    """No annotation, finalizer or label but ours; of the study only its status is written."""
    place.play.script = below(0)
    study = place.study("clean")
    pods = "/api/v1/namespaces/{}/pods"
    study.until(lambda: len(place.list(pods)) == 2, "two pods")
    study.until(lambda: study.status, "a status")
    for body in (study.resource, *study.jobs, *place.list(pods)):
        meta = body["metadata"]
        keys = {*meta.get("annotations", {}), *meta.get("labels", {})}
        assert not [key for key in keys if "kopf" in key]
        assert set(meta.get("finalizers", ())) <= {"batch.kubernetes.io/job-tracking"}
    meta = study.resource["metadata"]
    assert "annotations" not in meta
    assert "finalizers" not in meta
    kubetune = [each for each in meta["managedFields"] if each["manager"] == "kubetune"]
    assert [each["subresource"] for each in kubetune] == ["status"]
    place.play.script = completes
    study.finish()


def test_a_spec_that_changes_as_the_study_ends_is_followed(place: Place) -> None:
    """Raising trials.max just when the last status is written opens the study again."""
    study = place.study("late")
    study.finish()
    study.patch(trials={"max": 5})
    study.until(lambda: study.counts["complete"] == 5, "five trials")
