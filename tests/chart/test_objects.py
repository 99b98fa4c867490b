"""What the chart makes: least privilege, a restricted pod, and nothing that was not asked for."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.chart import settings
from tests.cluster import monitoring
from tests.cluster.helm import CHART, rendered

pytestmark = pytest.mark.timeout(300)

NAMESPACE = "kubetune-system"


def of(objects: list[dict[str, Any]], kind: str, name: str = "") -> list[dict[str, Any]]:
    return [
        each
        for each in objects
        if each["kind"] == kind and (not name or each["metadata"]["name"] == name)
    ]


def one(objects: list[dict[str, Any]], kind: str, name: str = "") -> dict[str, Any]:
    (found,) = of(objects, kind, name)
    return found


def operator(values: dict[str, Any] | None = None, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = one(rendered(values, *options), "Deployment", "kubetune")
    return found


def environment(deployment: dict[str, Any]) -> dict[str, Any]:
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container["env"]}


@pytest.mark.parametrize("values", settings.ALL.values(), ids=settings.ALL)
def test_no_role_of_the_operator_can_do_more_than_it_needs(values: dict[str, Any]) -> None:
    """No secrets, no exec, no roles, no impersonation, no wildcard, in any way to install it."""
    for role in (
        each
        for each in rendered(values, *monitoring.options())
        if each["kind"] in {"Role", "ClusterRole"}
    ):
        for rule in role["rules"]:
            words = {*rule["apiGroups"], *rule["resources"], *rule["verbs"]}
            assert "*" not in words
            assert not words & {
                *("secrets", "pods/exec", "pods/attach", "serviceaccounts/token", "nodes"),
                *("roles", "rolebindings", "clusterroles", "clusterrolebindings"),
                *("impersonate", "escalate", "bind", "rbac.authorization.k8s.io"),
            }


def test_its_rights_are_those_that_are_tested() -> None:
    """The rules that the operator is tested with, for the cluster or for each namespace."""
    rules = YAML(typ="safe").load((CHART / "files" / "rules.yaml").read_text())
    assert one(rendered(), "ClusterRole", f"{NAMESPACE}-kubetune")["rules"] == rules
    objects = rendered(settings.NAMESPACED)
    roles = of(objects, "Role", f"{NAMESPACE}-kubetune")
    assert [(role["metadata"]["namespace"], role["rules"]) for role in roles] == [
        ("tuners-a", rules),
        ("tuners-b", rules),
    ]
    bound = [each["metadata"]["name"] for each in of(objects, "ClusterRoleBinding")]
    assert bound == []
    words = operator(settings.NAMESPACED)["spec"]["template"]["spec"]["containers"][0]["args"]
    assert "--namespace=tuners-a" in words
    assert "--namespace=tuners-b" in words


def test_who_may_edit_a_namespace_may_edit_its_studies() -> None:
    """By aggregation into Kubernetes' own roles; nobody gets to write a status."""
    objects = rendered()
    view = one(objects, "ClusterRole", f"{NAMESPACE}-kubetune-view")
    edit = one(objects, "ClusterRole", f"{NAMESPACE}-kubetune-edit")
    assert view["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-view"] == "true"
    assert edit["metadata"]["labels"]["rbac.authorization.k8s.io/aggregate-to-edit"] == "true"
    named = {name for role in (view, edit) for rule in role["rules"] for name in rule["resources"]}
    assert named == {"tuningstudies"}


def test_who_may_not_create_jobs_creates_no_study() -> None:
    """The tested policy, for the release's own namespace; bound to what the operator watches."""
    objects = rendered(namespace="elsewhere")
    policy = one(objects, "ValidatingAdmissionPolicy")
    text = (CHART / "files" / "admission.yaml").read_text()
    assert "OPERATOR_NAMESPACE" in text
    meant = YAML(typ="safe").load(text.replace("OPERATOR_NAMESPACE", "elsewhere"))
    assert policy["spec"] == meant
    binding = one(objects, "ValidatingAdmissionPolicyBinding")["spec"]
    assert binding == {
        "policyName": policy["metadata"]["name"],
        "validationActions": ["Deny"],
    }
    some = one(rendered(settings.NAMESPACED), "ValidatingAdmissionPolicyBinding")["spec"]
    (chosen,) = some["matchResources"]["namespaceSelector"]["matchExpressions"]
    assert chosen["values"] == ["tuners-a", "tuners-b"]


@pytest.mark.parametrize("values", settings.ALL.values(), ids=settings.ALL)
def test_every_pod_meets_the_restricted_standard(values: dict[str, Any]) -> None:
    """Not root, a read-only root, no capability, no escalation, seccomp on; memory is bounded."""
    for kind in ("Deployment", "Job"):
        for found in of(rendered(values), kind):
            pod = found["spec"]["template"]["spec"]
            assert pod["securityContext"]["runAsNonRoot"] is True
            assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            assert pod["enableServiceLinks"] is False
            for container in pod["containers"]:
                assert container["securityContext"] == {
                    "allowPrivilegeEscalation": False,
                    "readOnlyRootFilesystem": True,
                    "capabilities": {"drop": ["ALL"]},
                }
                assert container["resources"]["limits"]["memory"]


def test_only_one_operator_tunes() -> None:
    """Recreate: the old pod is gone before the new one begins; several of them share a lease."""
    assert operator()["spec"]["strategy"] == {"type": "Recreate"}
    standby = operator(settings.STANDBY)
    words = standby["spec"]["template"]["spec"]["containers"][0]["args"]
    assert standby["spec"]["replicas"] == 2
    assert f"--lease={NAMESPACE}/kubetune" in words
    objects = rendered(settings.STANDBY)
    rules = one(objects, "Role", "kubetune-lease")["rules"]
    assert [rule.get("resourceNames") for rule in rules] == [None, ["kubetune"]]


def test_sqlite_has_a_claim_and_postgresql_a_secret() -> None:
    """The URL of a database with a password never stands in a manifest."""
    claim = one(rendered(), "PersistentVolumeClaim")
    assert claim["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    assert environment(operator())["KUBETUNE_STORAGE"] == "sqlite:////data/kubetune.db"
    dropped = one(rendered({"storage.sqlite.keep": False}), "PersistentVolumeClaim")
    assert "annotations" not in dropped["metadata"]
    objects = rendered(settings.POSTGRES)
    assert not of(objects, "PersistentVolumeClaim")
    secret = {"secretKeyRef": {"name": "database", "key": "url"}}
    assert environment(one(objects, "Deployment"))["KUBETUNE_STORAGE"] == secret


def test_prometheus_gets_a_password_from_a_file() -> None:
    """And a certificate; the secret is mounted, no role may read it."""
    found = operator(settings.EVERYTHING)
    told = environment(found)
    assert told["KUBETUNE_PROMETHEUS"] == "https://prometheus.monitoring:9090"
    assert told["KUBETUNE_PROMETHEUS_USERNAME"] == {
        "secretKeyRef": {"name": "prometheus", "key": "user"}
    }
    assert told["KUBETUNE_PROMETHEUS_PASSWORD_FILE"] == "/var/run/kubetune/prometheus/password"
    assert told["KUBETUNE_PROMETHEUS_CA_FILE"] == "/var/run/kubetune/ca/ca.crt"
    token = operator({"prometheus.auth.existingSecret": "p", "prometheus.auth.tokenKey": "t"})
    volume = token["spec"]["template"]["spec"]["volumes"][2]
    assert volume["secret"]["items"] == [{"key": "t", "path": "token"}]


def test_prometheus_operators_objects_are_made_where_the_cluster_knows_them() -> None:
    """Else the operator's pod says by annotations where its metrics are."""
    known = rendered(None, *monitoring.options())
    assert {each["kind"] for each in known} >= set(monitoring.KINDS)
    unknown = rendered()
    assert not {each["kind"] for each in unknown} & set(monitoring.KINDS)
    annotated = [
        one(objects, "Deployment")["spec"]["template"]["metadata"]["annotations"]
        for objects in (known, unknown)
    ]
    assert "prometheus.io/scrape" not in annotated[0]
    assert annotated[1]["prometheus.io/scrape"] == "true"
    left_out = {f"monitoring.{name}.enabled": False for name in ("podMonitor", "serviceMonitor")}
    kinds = {each["kind"] for each in rendered(left_out, *monitoring.options())}
    assert kinds & set(monitoring.KINDS) == {"PrometheusRule"}


def test_the_pod_monitor_takes_labels_from_the_pod_alone() -> None:
    """Those that the operator reads, and never what a trial says of itself."""
    monitor = one(rendered(None, *monitoring.options()), "PodMonitor")["spec"]
    assert monitor["podMetricsEndpoints"][0]["honorLabels"] is False
    assert monitor["selector"]["matchLabels"] == {"app.kubernetes.io/managed-by": "kubetune"}
    assert monitor["podTargetLabels"] == [
        *("kubetune.io/study", "kubetune.io/study-uid", "kubetune.io/trial", "kubetune.io/attempt")
    ]
    assert monitor["namespaceSelector"] == {"any": True}
    some = one(rendered(settings.NAMESPACED, *monitoring.options()), "PodMonitor")["spec"]
    assert some["namespaceSelector"] == {"matchNames": ["tuners-a", "tuners-b"]}


def test_rules_and_dashboards_are_the_files() -> None:
    """Every file is there, letter for letter: templates of alerts are not Helm's."""
    objects = rendered(None, *monitoring.options())
    for file in (CHART / "rules").glob("*.yaml"):
        rule = one(objects, "PrometheusRule", f"kubetune-{file.stem}")
        assert rule["spec"] == YAML(typ="safe").load(file.read_text())
    for file in (CHART / "dashboards").glob("*.json"):
        config = one(objects, "ConfigMap", f"kubetune-dashboard-{file.stem}")
        assert config["metadata"]["labels"]["grafana_dashboard"] == "1"
        assert config["data"] == {f"kubetune-{file.name}": file.read_text()}


def test_the_definition_is_the_generated_one() -> None:
    """Its spec letter for letter; it stays when the chart goes, unless that is not wanted."""
    file = Path(__file__).parents[2] / "crds" / "kubetune.io_tuningstudies.yaml"
    made = one(rendered(), "CustomResourceDefinition")
    assert made["spec"] == YAML(typ="safe").load(file.read_text())["spec"]
    assert made["metadata"]["annotations"] == {"helm.sh/resource-policy": "keep"}
    dropped = one(rendered({"crds.keep": False}), "CustomResourceDefinition")
    assert "annotations" not in dropped["metadata"]


def test_a_digest_is_taken_before_a_tag() -> None:
    """And a common label is on everything, an extra object made from its template."""
    objects = rendered(settings.EVERYTHING, *monitoring.options())
    image = one(objects, "Deployment", "kubetune")["spec"]["template"]["spec"]["containers"][0]
    assert image["image"] == f"kubetune-operator@sha256:{'0' * 64}"
    more = {f"kubetune-{name}" for name in ("more", "text")}
    assert more <= {each["metadata"]["name"] for each in objects}
    bare = [each for each in objects if each["metadata"]["name"] not in more]
    assert all(each["metadata"]["labels"]["team"] == "platform" for each in bare)


def test_two_releases_do_not_meet() -> None:
    """Objects without a namespace bear the name of the release's."""

    def cluster_wide(namespace: str) -> set[tuple[str, str]]:
        return {
            (each["kind"], each["metadata"]["name"])
            for each in rendered({"crds.enabled": False}, namespace=namespace)
            if "namespace" not in each["metadata"]
        }

    assert cluster_wide("one")
    assert not cluster_wide("one") & cluster_wide("two")
