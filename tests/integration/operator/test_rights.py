"""What the operator may do: all that it needs, and nothing else."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.cluster import users
from tests.cluster.audit import Request
from tests.cluster.control_plane import ControlPlane
from tests.cluster.operators import RULES, OperatorProcess, grant, running
from tests.cluster.proxy import Proxy, proxied
from tests.cluster.requests import Refused, wait_until
from tests.integration.operator.stage import Last, Part, Study, below, completes, played

GROUP = "rbac.authorization.k8s.io"

NOT_ASKED_FOR = {
    ("tuningstudies/finalizers", "update"): "a condition of creating a Job, and no request",
    ("jobs", "get"): "when a Job is there already, after a launch without an answer",
    ("events", "patch"): "when the same happens again",
    ("configmaps", "create"): "a condition of applying one that is not there, and no request",
}
"""Rights that no request of a study without faults needs."""


def rules() -> list[dict[str, Any]]:
    """The rules of the chart."""
    return list(YAML(typ="safe").load(RULES.read_text()))


def rights() -> set[tuple[str, str]]:
    """Every resource and verb that they give."""
    return {
        (kind, verb) for rule in rules() for kind in rule["resources"] for verb in rule["verbs"]
    }


def used(requests: list[Request]) -> set[tuple[str, str]]:
    """The same of what was asked for."""
    return {(one.resource, one.verb) for one in requests if one.resource}


def fails_now_and_then(part: Part) -> Last | None:
    """Some trials complete, some fail."""
    return completes(part) if part.number % 2 else Last(code=1)


def test_every_right_is_used_and_none_is_missing(
    granted: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    """Over whole studies of all namespaces: no request is refused, and no rule is for nothing.

    That a Job may name its study as an owner that blocks the study's deletion is a right of its
    own, which the API server here insists on.
    """
    before = len(granted.requests_of())
    operator = OperatorProcess(granted, tmp_path, namespaces=(), options=["--resync-seconds=1"])
    with running(operator), played(granted, namespace, below(0)) as play:
        study = Study(granted, namespace, "long", trials={"max": 12, "parallelism": 4})
        study.until(lambda: len(study.jobs) == 4, "four trials")
        play.script = fails_now_and_then
        study.finish()

    def asked() -> set[tuple[str, str]]:
        return used(granted.requests_of()[before:])

    wait_until(lambda: ("pods", "watch") in asked(), "the last watch to be noted, at its end")
    assert asked() <= rights()
    assert rights() - asked() == NOT_ASKED_FOR.keys()


def test_a_namespace_that_is_going_is_no_missing_right(
    granted: ControlPlane, namespace: str
) -> None:
    """The server says 403 there too, of what it would allow elsewhere."""
    maps = f"/api/v1/namespaces/{namespace}/configmaps"
    held = {"metadata": {"name": "held", "finalizers": ["kubetune.io/test"]}}
    granted.request("POST", maps, held)
    granted.request("DELETE", f"/api/v1/namespaces/{namespace}")
    jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
    pods = f"/api/v1/namespaces/{namespace}/pods"
    operator = granted.server(users.OPERATOR)
    try:
        for path, body in ((jobs, job("going")), (pods, {"metadata": {"name": "none"}})):
            with pytest.raises(Refused) as refused:
                operator.json("POST", path, body)
            assert refused.value.status == 403
    finally:
        free = {"metadata": {"finalizers": None}}
        granted.request("PATCH", f"{maps}/held", free, "application/merge-patch+json")

    def asked() -> list[Request]:
        return [one for one in granted.requests_of() if one.namespace == namespace]

    wait_until(lambda: len(asked()) == 2, "both requests to be noted")
    assert [(one.resource, one.lacks_right) for one in asked()] == [("jobs", False), ("pods", True)]


def job(name: str) -> dict[str, Any]:
    """A Job that the server takes."""
    container = {"name": "trainer", "image": "none"}
    pod = {"spec": {"restartPolicy": "Never", "containers": [container]}}
    return {"metadata": {"name": name}, "spec": {"template": pod}}


@pytest.fixture(scope="module")
def granted(studies: ControlPlane) -> ControlPlane:
    """A control plane whose user `operator` has the rights of the chart."""
    grant(studies)
    return studies


class Tenant:
    """A user with a role in one namespace, which grows; all its requests are seen."""

    def __init__(self, plane: ControlPlane, namespace: str, proxy: Proxy) -> None:
        self.plane, self.namespace, self.proxy = plane, namespace, proxy
        self._roles = f"/apis/{GROUP}/v1/namespaces/{namespace}"
        role = {"metadata": {"name": "tuner"}, "rules": []}
        bound = {
            "metadata": {"name": "tuner"},
            "roleRef": {"apiGroup": GROUP, "kind": "Role", "name": "tuner"},
            "subjects": [{"apiGroup": GROUP, "kind": "User", "name": "bob"}],
        }
        plane.request("POST", f"{self._roles}/roles", role)
        plane.request("POST", f"{self._roles}/rolebindings", bound)

    def give(self, found: list[dict[str, Any]]) -> None:
        """Replaces what it may do."""
        body = {"rules": found}
        kind = "application/merge-patch+json"
        self.plane.request("PATCH", f"{self._roles}/roles/tuner", body, kind)

    def operator(self, folder: Path, *options: str) -> OperatorProcess:
        """An operator that is this user."""
        return OperatorProcess(
            self.plane,
            folder,
            namespaces=[self.namespace],
            kubeconfig=self.proxy.kubeconfig_for("bob"),
            options=["--resync-seconds=1", *options],
        )

    def refusals(self) -> list[str]:
        """The requests that were answered 403."""
        return [f"{one.method} {one.path}" for one in self.proxy.seen if one.status == 403]


@pytest.fixture
def tenant(studies: ControlPlane, namespace: str) -> Iterator[Tenant]:
    """Who may do nothing yet."""
    with proxied(studies) as proxy:
        yield Tenant(studies, namespace, proxy)


def test_a_role_in_one_namespace_is_enough(tenant: Tenant, tmp_path: Path) -> None:
    """An operator of one namespace asks for nothing outside it."""
    tenant.give(rules())
    with running(tenant.operator(tmp_path)), played(tenant.plane, tenant.namespace):
        study = Study(tenant.plane, tenant.namespace)
        assert study.finish()["trials"]["complete"] == 3
        study.until(lambda: study.events, "events")
    assert not tenant.refusals()


def test_without_a_rule_something_fails_that_one_can_see(tenant: Tenant, tmp_path: Path) -> None:
    """Each in turn, and once it is given the operator goes on by itself: nothing is lost by it.

    It waits while it cannot watch; what it cannot write it says in its log, and a study whose Jobs
    it cannot create says so itself.
    """
    studies_rule, status, finalizers, jobs, pods = rules()[:5]
    operator = tenant.operator(tmp_path)

    def logged(words: str) -> None:
        wait_until(lambda: words in operator.log, words)

    operator.start()
    try:
        with played(tenant.plane, tenant.namespace):
            for given, missing in (
                ([], "tuningstudies"),
                ([studies_rule], "jobs"),
                ([studies_rule, jobs], "pods"),
            ):
                tenant.give(given)
                logged(f'cannot list resource "{missing}"')
            watches = [studies_rule, pods, {**jobs, "verbs": ["get", "list", "watch"]}]
            tenant.give([*watches, status])
            logged("ready")
            study = Study(tenant.plane, tenant.namespace)
            study.until(lambda: "cannot create resource" in str(study.status), "word of the Jobs")
            tenant.give([*watches, jobs, status])
            study.until(lambda: "finalizers" in str(study.status), "word of the owner")
            tenant.give([*watches, jobs, finalizers])
            logged("the operator must get tuningstudies and patch tuningstudies/status")
            tenant.give([studies_rule, pods, jobs, finalizers, status])
            assert study.finish()["trials"]["complete"] == 3
            logged('cannot create resource "events"')
            tenant.give(rules())
            second = Study(tenant.plane, tenant.namespace, "second")
            second.until(lambda: second.events, "events")
    finally:
        operator.kill()
    assert "Traceback" not in operator.log


def test_a_study_beside_the_operator_is_refused(tenant: Tenant, tmp_path: Path) -> None:
    """Its trials could use the operator's account and its secrets; nothing of it is created."""
    tenant.give(rules())
    with running(tenant.operator(tmp_path, f"--own-namespace={tenant.namespace}")):
        study = Study(tenant.plane, tenant.namespace)
        study.until(lambda: study.status.get("phase") == "Invalid", "it to be refused")
        assert "make the study in another namespace" in study.condition("Valid")[1]
    assert not study.jobs


@pytest.mark.parametrize(
    ("verb", "group", "resource"),
    [
        ("get", "", "secrets"),
        ("list", "", "secrets"),
        ("create", "", "secrets"),
        ("get", "", "configmaps"),
        ("list", "", "configmaps"),
        ("delete", "", "configmaps"),
        ("create", "", "pods"),
        ("delete", "", "pods"),
        ("patch", "", "pods"),
        ("create", "", "pods/exec"),
        ("create", "", "pods/attach"),
        ("create", "", "pods/portforward"),
        ("get", "", "pods/log"),
        ("create", "", "pods/eviction"),
        ("update", "", "pods/status"),
        ("get", "", "nodes"),
        ("list", "", "namespaces"),
        ("list", "", "events"),
        ("create", "", "serviceaccounts/token"),
        ("impersonate", "", "users"),
        ("list", "apps", "deployments"),
        ("patch", "batch", "jobs"),
        ("update", "batch", "jobs"),
        ("update", "batch", "jobs/status"),
        ("deletecollection", "batch", "jobs"),
        ("create", "batch", "cronjobs"),
        ("create", "kubetune.io", "tuningstudies"),
        ("delete", "kubetune.io", "tuningstudies"),
        ("patch", "kubetune.io", "tuningstudies"),
        ("update", "kubetune.io", "tuningstudies"),
        ("create", GROUP, "roles"),
        ("bind", GROUP, "clusterroles"),
        ("escalate", GROUP, "clusterroles"),
        ("get", "apiextensions.k8s.io", "customresourcedefinitions"),
        ("create", "admissionregistration.k8s.io", "validatingadmissionpolicies"),
        ("list", "coordination.k8s.io", "leases"),
        ("*", "*", "*"),
    ],
)
def test_what_it_may_not_do(granted: ControlPlane, verb: str, group: str, resource: str) -> None:
    """As the API server decides: neither secrets nor other people's pods, nor its own studies."""
    name, _, part = resource.partition("/")
    asked = {"verb": verb, "group": group, "resource": name, "subresource": part}
    review = {"spec": {"user": users.OPERATOR, "resourceAttributes": {"namespace": "x", **asked}}}
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    assert granted.request("POST", path, review)["status"]["allowed"] is False


def test_the_table_of_rights_is_the_whole() -> None:
    """No wildcard stands in it, and nothing that was not looked at here."""
    assert not [rule for rule in rules() if "*" in str(rule)]
    assert {rule["apiGroups"][0] for rule in rules()} == {"kubetune.io", "batch", ""}
    assert len(rights()) == 16
