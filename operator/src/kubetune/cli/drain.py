"""`kubetune drain`: every study is suspended, and no trial runs any more."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubetune.cli.output import Exit, fail, say

if TYPE_CHECKING:
    from kubetune.adapters.kubernetes.api import Api
    from kubetune.adapters.kubernetes.reference import Reference

_LOOK_SECONDS = 1.0
_NOT_FOUND = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Which studies, and how long their trials have for an end; all namespaces when none is named.

    `kubeconfig` and `context` are kubectl's where they are None.
    """

    namespaces: Sequence[str]
    timeout_seconds: float
    kubeconfig: Path | None = None
    context: str | None = None


def drain(request: Request) -> None:
    """Suspends and waits; ends the program with 1 when trials still run after the timeout."""
    if find_spec("kubernetes") is None:
        fail("drain needs more packages: install kubetune[operator]")
    left = asyncio.run(_drain(request))
    if left:
        some = ", ".join(left[:5]) + (" ..." if left[5:] else "")
        fail(
            f"after {request.timeout_seconds:.0f} s trials still run: {some}; is the operator"
            " there? Try again, or delete their Jobs",
            Exit.FAILED,
        )
    say("no trial runs")


async def _drain(request: Request) -> list[str]:
    from kubetune.adapters.kubernetes import api as server  # noqa: PLC0415 - packages

    api = None
    try:
        api = await server.Api.connect(kubeconfig=request.kubeconfig, context=request.context)
        for study in await _studies(api, request.namespaces):
            ended = (study.get("status") or {}).get("completionTime")
            if not ended and not study["spec"].get("suspend"):
                wish = {"spec": {"suspend": True}}
                asked = _reference(study)
                await api.request("PATCH", asked.path, body=wish, content_type=server.MERGE)
                say(f"suspended {asked}")
        return await _left(api, request)
    except server.ApiRefused as error:
        fail(f"the API server refuses: {error.message}")
    except server.ApiUnreachable as error:
        fail(str(error))
    finally:
        if api:
            await api.close()


async def _left(api: "Api", request: Request) -> list[str]:
    """The studies whose trials still run when the time is over; none when all rest before."""
    give_up_at = time.monotonic() + request.timeout_seconds
    while True:
        left = await _running(api, request.namespaces)
        if not left or time.monotonic() >= give_up_at:
            return left
        await asyncio.sleep(_LOOK_SECONDS)


async def _running(api: "Api", namespaces: Sequence[str]) -> list[str]:
    """The studies that do not rest yet, and those of Jobs that are there all the same."""
    from kubetune.adapters.kubernetes.names import SELECTOR, STUDY  # noqa: PLC0415 - packages

    jobs = await _listed(api, "/apis/batch/v1", "jobs", namespaces, f"{SELECTOR},{STUDY}")
    owners = {f"{job['metadata']['namespace']}/{job['metadata']['labels'][STUDY]}" for job in jobs}
    studies = await _studies(api, namespaces)
    return sorted({*owners, *(str(_reference(study)) for study in studies if not _rests(study))})


async def _studies(api: "Api", namespaces: Sequence[str]) -> list[dict[str, Any]]:
    return await _listed(api, "/apis/kubetune.io/v1alpha1", "tuningstudies", namespaces)


async def _listed(
    api: "Api", group: str, plural: str, namespaces: Sequence[str], labels: str = ""
) -> list[dict[str, Any]]:
    """All of a kind; none where the cluster does not know the kind."""
    from kubetune.adapters.kubernetes.api import ApiRefused  # noqa: PLC0415 - packages

    found: list[dict[str, Any]] = []
    query = {"labelSelector": labels} if labels else None
    for namespace in namespaces or (None,):
        scope = f"/namespaces/{namespace}" if namespace else ""
        try:
            found += (await api.request("GET", f"{group}{scope}/{plural}", query=query))["items"]
        except ApiRefused as error:
            if error.status != _NOT_FOUND:
                raise
    return found


def _rests(study: Mapping[str, Any]) -> bool:
    """Whether the operator has said, of the study as it stands, that it launches nothing."""
    status = study.get("status") or {}
    if status.get("completionTime"):
        return True
    said = {
        each["type"]: each["status"]
        for each in status.get("conditions") or ()
        if each.get("observedGeneration", 0) >= study["metadata"]["generation"]
    }
    return said.get("Suspended") == "True" or said.get("Valid") == "False"


def _reference(study: Mapping[str, Any]) -> "Reference":
    from kubetune.adapters.kubernetes.reference import Reference  # noqa: PLC0415 - packages

    meta = study["metadata"]
    return Reference(namespace=meta["namespace"], name=meta["name"], uid=meta["uid"])
