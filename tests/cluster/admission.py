"""The chart's admission policy on a control plane, as it stands in the chart's file."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.cluster.control_plane import ControlPlane
from tests.cluster.requests import Refused, wait_until

FILE = Path(__file__).parents[2] / "charts" / "kubetune" / "files" / "admission.yaml"
NAME = "kubetune-studies"
PLACEHOLDER = "OPERATOR_NAMESPACE"

_KINDS = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolic"
_FORBIDDEN = 403


def spec(operator_namespace: str) -> dict[str, Any]:
    """The policy's spec for an operator that runs in this namespace."""
    text = FILE.read_text().replace(PLACEHOLDER, operator_namespace)
    found: dict[str, Any] = YAML(typ="safe").load(text)
    return found


@contextmanager
def admitting(plane: ControlPlane, operator_namespace: str) -> Iterator[dict[str, Any]]:
    """Has the policy in force while the block lasts; the policy, as the server has it."""
    policy = {"metadata": {"name": NAME}, "spec": spec(operator_namespace)}
    bound = {"policyName": NAME, "validationActions": ["Deny"]}
    plane.request("POST", f"{_KINDS}ies", policy)
    plane.request("POST", f"{_KINDS}ybindings", {"metadata": {"name": NAME}, "spec": bound})
    try:
        wait_until(lambda: _refuses(plane, operator_namespace), "the policy to be in force")
        wait_until(lambda: _read(plane).get("status"), "its types to be checked")
        yield _read(plane)
    finally:
        plane.request("DELETE", f"{_KINDS}ybindings/{NAME}")
        plane.request("DELETE", f"{_KINDS}ies/{NAME}")
        wait_until(lambda: not _refuses(plane, operator_namespace), "the policy to be gone")


def _read(plane: ControlPlane) -> dict[str, Any]:
    found: dict[str, Any] = plane.request("GET", f"{_KINDS}ies/{NAME}")
    return found


def _refuses(plane: ControlPlane, namespace: str) -> bool:
    """Whether not even the administrator may have a study beside the operator."""
    path = f"/apis/kubetune.io/v1alpha1/namespaces/{namespace}/tuningstudies?dryRun=All"
    pod = {"spec": {"containers": [{"name": "trainer", "image": "none"}]}}
    study = {
        "apiVersion": "kubetune.io/v1alpha1",
        "kind": "TuningStudy",
        "metadata": {"name": "rehearsal"},
        "spec": {
            "objectives": [{"metric": "accuracy", "direction": "Maximize"}],
            "parameters": [{"name": "x", "type": "Double", "min": 0, "max": 1}],
            "trials": {"max": 1},
            "trialTemplate": pod,
        },
    }
    try:
        plane.request("POST", path, study)
    except Refused as refused:
        return refused.status == _FORBIDDEN
    return False
