"""The control plane that other tests stand on."""

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.cluster.requests import Refused


def test_a_namespace_takes_pods_at_once(control_plane: ControlPlane, namespace: str) -> None:
    """No test need wait for a service account before its first pod."""
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "none"}]}}
    made = control_plane.request("POST", f"/api/v1/namespaces/{namespace}/pods", pod)
    assert made["spec"]["serviceAccountName"] == "default"


def test_a_user_without_rights_is_refused(control_plane: ControlPlane, namespace: str) -> None:
    """Rights are checked as on a real cluster: only what a test grants is allowed."""
    with pytest.raises(Refused, match="Forbidden"):
        control_plane.server("bob").json("GET", f"/api/v1/namespaces/{namespace}/pods")


def test_data_outlives_the_api_server(control_plane: ControlPlane, namespace: str) -> None:
    """A restarted API server is the same one: address, certificate, tokens and objects."""
    control_plane.restart_apiserver(grace_seconds=0)
    assert control_plane.request("GET", f"/api/v1/namespaces/{namespace}")["metadata"]
    assert namespace in control_plane.kubectl("get", "namespaces")


def test_studies_can_be_listed(studies: ControlPlane, namespace: str) -> None:
    """The custom resource is served once the fixture says so."""
    said = studies.kubectl("get", "tuningstudies", "-n", namespace, check=False)
    assert "No resources found" in said
