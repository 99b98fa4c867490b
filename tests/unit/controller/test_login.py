"""Where a pod finds the API server."""

import pytest

from kubetune.controller.login import in_cluster_url


@pytest.mark.parametrize(
    ("host", "url"),
    [("10.96.0.1", "https://10.96.0.1:6443"), ("fd00::1", "https://[fd00::1]:6443")],
)
def test_an_address_needs_no_name_server(host: str, url: str) -> None:
    """The kubelet tells it each pod, of either family."""
    told = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": "6443"}
    assert in_cluster_url(told) == url


def test_outside_a_cluster_nobody_tells() -> None:
    """Then a kubeconfig counts."""
    assert in_cluster_url({"KUBERNETES_SERVICE_HOST": "10.96.0.1"}) is None
    assert in_cluster_url({}) is None
