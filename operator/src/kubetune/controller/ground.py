"""What must be there before anything can be watched, and how one is told that it is not."""

from collections.abc import Mapping
from typing import Any

from kubetune.adapters.kubernetes.api import Api, ApiRefused, ApiUnreachable
from kubetune.adapters.kubernetes.names import SELECTOR
from kubetune.api.v1alpha1.study import GROUP, VERSION

PLURAL = "tuningstudies"

NO_CRD = (
    "this cluster does not know TuningStudy: install it by "
    "`kubetune crd | kubectl apply --server-side -f -`"
)
FORBIDDEN = "give the operator the rights that charts/kubetune/files/rules.yaml lists"

_NOT_FOUND, _UNAUTHORIZED, _REFUSED = 404, 401, 403


async def missing(api: Api, namespaces: tuple[str, ...]) -> str:
    """What keeps the operator from watching these namespaces, all when empty; else no words."""
    try:
        if not await _served(api):
            return NO_CRD
        for namespace in namespaces or (None,):
            for group, plural, query in _watched():
                scope = f"/namespaces/{namespace}" if namespace else ""
                await api.request("GET", f"{group}{scope}/{plural}", query={"limit": "1", **query})
    except ApiUnreachable as trouble:
        return f"the API server does not answer: {trouble}"
    except ApiRefused as refused:
        return _words(refused)
    return ""


async def _served(api: Api) -> bool:
    """Whether studies are found where a watcher looks for them: it looks only once."""
    groups = await api.request("GET", "/apis")
    if GROUP not in _names(groups, "groups"):
        return False
    try:
        resources = await api.request("GET", f"/apis/{GROUP}/{VERSION}")
    except ApiRefused as refused:
        if refused.status == _NOT_FOUND:
            return False
        raise
    return PLURAL in _names(resources, "resources")


def _watched() -> tuple[tuple[str, str, Mapping[str, str]], ...]:
    labelled = {"labelSelector": SELECTOR}
    return (
        (f"/apis/{GROUP}/{VERSION}", PLURAL, {}),
        ("/apis/batch/v1", "jobs", labelled),
        ("/api/v1", "pods", labelled),
    )


def _names(found: Mapping[str, Any], key: str) -> set[str]:
    return {str(each.get("name")) for each in found.get(key) or ()}


def _words(refused: ApiRefused) -> str:
    if refused.status == _NOT_FOUND:
        return NO_CRD
    if refused.status == _REFUSED:
        return f"{refused.message}; {FORBIDDEN}"
    if refused.status == _UNAUTHORIZED:
        return f"the API server does not know who asks: {refused.message}"
    return f"the API server refuses: {refused.status} {refused.message}"
