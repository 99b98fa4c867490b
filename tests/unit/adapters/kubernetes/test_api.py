"""Where one is in a cluster when one does not say."""

from pathlib import Path

import pytest

from kubetune.adapters.kubernetes import api
from kubetune.adapters.kubernetes.api import usual_namespace

KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: here
clusters: [{name: one, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: me, user: {}}]
contexts:
- {name: here, context: {cluster: one, user: me, namespace: team-a}}
- {name: there, context: {cluster: one, user: me}}
"""


@pytest.fixture
def kubeconfig(tmp_path: Path) -> Path:
    file = tmp_path / "config"
    file.write_text(KUBECONFIG)
    return file


def test_the_namespace_of_a_context(kubeconfig: Path) -> None:
    """The current one's, or that of the one that is named; `default` as for kubectl."""
    assert usual_namespace(kubeconfig) == "team-a"
    assert usual_namespace(kubeconfig, "here") == "team-a"
    assert usual_namespace(kubeconfig, "there") == "default"


def test_a_pod_is_in_its_namespace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless a cluster is named."""
    file = tmp_path / "namespace"
    file.write_text("team-b\n")
    monkeypatch.setattr(api, "_POD_NAMESPACE", file)
    assert usual_namespace() == "team-b"


def test_without_a_kubeconfig_it_is_the_default(tmp_path: Path) -> None:
    """Nothing says otherwise; that there is no cluster is said elsewhere."""
    assert usual_namespace(tmp_path / "none") == "default"
