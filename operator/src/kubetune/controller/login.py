"""How Kopf finds the API server: as the pod's service account, else by the usual kubeconfig."""

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import kopf


def login(**given: Any) -> kopf.ConnectionInfo | None:
    """What Kopf is to connect with; None when there is neither."""
    account = kopf.login_with_service_account(**given)
    if account:
        return replace(account, server=in_cluster_url(os.environ) or account.server)
    return kopf.login_via_client(**given)


def in_cluster_url(environment: Mapping[str, str]) -> str | None:
    """Where a pod is told that the API server is, as every client of Kubernetes takes it.

    Kopf's own login asks a name server for `kubernetes.default.svc`: the operator would be blind
    while that one is away.
    """
    host = environment.get("KUBERNETES_SERVICE_HOST")
    port = environment.get("KUBERNETES_SERVICE_PORT")
    if not (host and port):
        return None
    return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
