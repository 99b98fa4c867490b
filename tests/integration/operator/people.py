"""Somebody with other rights in each namespace, and what the API server answers to that person."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.cluster.admission import admitting
from tests.cluster.control_plane import ControlPlane
from tests.cluster.requests import Refused, wait_until
from tests.integration.operator.stage import MERGE

ALICE = "alice"
RBAC = "rbac.authorization.k8s.io"
APPLY = "application/apply-patch+yaml"

TUNES = {
    "apiGroups": ["kubetune.io"],
    "resources": ["tuningstudies"],
    "verbs": ["get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"],
}
"""What the chart's role for people who edit has of studies."""
CREATES_JOBS = {"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "get"]}
ACTS_AS_TRAINER = {
    "apiGroups": [""],
    "resources": ["serviceaccounts"],
    "resourceNames": ["trainer"],
    "verbs": ["impersonate"],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A control plane with the policy, and namespaces by what alice may do in them.

    `guests`: she may write studies. `team`: and create Jobs. `lab`: and act as `trainer`. `office`:
    what the role `edit` gives. `operators` is the operator's own, and she may edit there, too.
    """

    plane: ControlPlane
    policy: Mapping[str, Any]
    guests: str
    team: str
    lab: str
    office: str
    operators: str

    def ask(
        self, method: str, path: str, body: Any = None, kind: str = "application/json"
    ) -> dict[str, Any]:
        """One request of hers.

        Raises:
            Refused: the server says no.
        """
        return dict(self.plane.server(ALICE).json(method, path, body, kind))

    def create(self, namespace: str, body: Mapping[str, Any], *, dry: bool = False) -> Any:
        """Makes a study as she."""
        return self.ask("POST", studies_of(namespace) + ("?dryRun=All" if dry else ""), body)

    def patch(self, namespace: str, name: str, change: Mapping[str, Any]) -> Any:
        """Changes one as she."""
        return self.ask("PATCH", f"{studies_of(namespace)}/{name}", change, MERGE)


def studies_of(namespace: str) -> str:
    """Where the studies of a namespace are."""
    return f"/apis/kubetune.io/v1alpha1/namespaces/{namespace}/tuningstudies"


def study(
    name: str = "study",
    *,
    labels: Mapping[str, str] | None = None,
    pod: Mapping[str, Any] | None = None,
    container: Mapping[str, Any] | None = None,
    template: Mapping[str, Any] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """A manifest; `pod` goes into its pod's spec, `container` into its trainer."""
    trainer = {"name": "trainer", "image": "none", **(container or {})}
    values = {
        "objectives": [{"metric": "accuracy", "direction": "Maximize"}],
        "parameters": [{"name": "x", "type": "Double", "min": 0, "max": 1}],
        "sampler": {"algorithm": "Random"},
        "trials": {"max": 1, "parallelism": 1},
        "trialTemplate": {**(template or {}), "spec": {"containers": [trainer], **(pod or {})}},
    }
    return {
        "apiVersion": "kubetune.io/v1alpha1",
        "kind": "TuningStudy",
        "metadata": {"name": name, "labels": dict(labels or {})},
        "spec": values | spec,
    }


def said(refused: Refused) -> str:
    """The server's words, without the names that come before a policy's own."""
    message: str = json.loads(str(refused).partition(": ")[2])["message"]
    return message.rpartition(" denied request: ")[2]


@contextmanager
def furnished(plane: ControlPlane) -> Iterator[House]:
    """A house; of it only its empty namespaces are left afterwards."""
    rights: dict[str, Sequence[Mapping[str, Any]]] = {
        "guests": [TUNES],
        "team": [TUNES, CREATES_JOBS],
        "lab": [TUNES, CREATES_JOBS, ACTS_AS_TRAINER],
        "office": [TUNES],
        "operators": [TUNES],
    }
    rooms = {room: plane.create_namespace(room) for room in rights}
    for room, rules in rights.items():
        role = {"metadata": {"name": "tuner"}, "rules": rules}
        plane.request("POST", f"/apis/{RBAC}/v1/namespaces/{rooms[room]}/roles", role)
        _bind(plane, rooms[room], "Role", "tuner")
    for room in ("office", "operators"):
        _bind(plane, rooms[room], "ClusterRole", "edit")
    wait_until(lambda: _may_write_everywhere(plane, rooms.values()), "the roles to count")
    try:
        with admitting(plane, rooms["operators"]) as policy:
            yield House(plane=plane, policy=policy, **rooms)
    finally:
        for room in rooms.values():
            plane.delete_namespace(room)


def _bind(plane: ControlPlane, namespace: str, kind: str, role: str) -> None:
    binding = {
        "metadata": {"name": role},
        "roleRef": {"apiGroup": RBAC, "kind": kind, "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": ALICE}],
    }
    plane.request("POST", f"/apis/{RBAC}/v1/namespaces/{namespace}/rolebindings", binding)


def _may_write_everywhere(plane: ControlPlane, namespaces: Any) -> bool:
    asked = {"verb": "create", "group": "kubetune.io", "resource": "tuningstudies"}
    reviews = (
        {"spec": {"user": ALICE, "resourceAttributes": {**asked, "namespace": namespace}}}
        for namespace in namespaces
    )
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    return all(plane.request("POST", path, each)["status"]["allowed"] for each in reviews)
