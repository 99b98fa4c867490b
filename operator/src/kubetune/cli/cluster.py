"""study/NAME on the command line: a study of a cluster, with its results out of its ConfigMap."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubetune.api import admission
from kubetune.cli.output import count, fail, say
from kubetune.domain.reasons import StudyReason
from kubetune.domain.status import Counts, StudyStatus
from kubetune.domain.study import StudySpec
from kubetune.report.stored import Stored, unpack

if TYPE_CHECKING:
    from kubetune.adapters.kubernetes.results import Files
    from kubetune.controller.resource import Resource

PREFIX = "study/"

_NOT_FOUND, _UNAUTHORIZED, _FORBIDDEN = 404, 401, 403


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How a cluster is reached, as kubectl does unless told otherwise; where its database is."""

    kubeconfig: Path | None = None
    context: str | None = None
    storage: str | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A study of a cluster. `files` is None where its ConfigMap was not asked for."""

    resource: "Resource"
    files: "Files | None"

    @property
    def spec(self) -> StudySpec | None:
        """What its author wrote; None when that is not valid."""
        return admission.check(self.resource.manifest).spec

    @property
    def stored_name(self) -> str:
        """What the operator's database calls it."""
        return f"{self.resource}/{self.resource.uid}"

    @property
    def status(self) -> StudyStatus:
        """What its status says of how it stands."""
        told = self.resource.status
        conditions = {one.get("type"): one for one in told.get("conditions") or ()}
        succeeded = conditions.get("Succeeded", {})
        reason = succeeded.get("reason", "")
        known = reason in StudyReason.__members__.values()
        return StudyStatus(
            phase=str(told.get("phase", "")),
            conditions=(),
            counts=Counts(),
            ended=bool(told.get("completionTime")),
            reason=StudyReason(reason) if known else StudyReason.RUNNING,
            message=str(succeeded.get("message", "")),
        )


def find(source: str, namespace: str | None, access: Access) -> Found:
    """Asks the API server; ends the program with a sentence when it does not say."""
    if find_spec("kubernetes") is None:
        fail("reading a study of a cluster needs more packages: install kubetune[operator]")
    return asyncio.run(_find(source.removeprefix(PREFIX), namespace, access))


def stored(found: Found) -> Stored:
    """The trials of its ConfigMap, with a word for what is not in it."""
    from kubetune.report.parcel import PACKED, SUMMARY  # noqa: PLC0415 - start-up time

    assert found.files is not None
    try:
        read = unpack(found.files.packed[PACKED])
        told = json.loads(found.files.text.get(SUMMARY, "{}"))
    except KeyError:
        fail(f"the ConfigMap of {found.resource} cannot be read: {PACKED} is missing")
    except ValueError as error:
        fail(f"the ConfigMap of {found.resource} cannot be read: {error}")
    for line in _missing(told, found.resource.status):
        say(line)
    return read


async def _find(name: str, namespace: str | None, access: Access) -> Found:
    from kubetune.adapters.kubernetes import api as server  # noqa: PLC0415 - packages
    from kubetune.adapters.kubernetes import results  # noqa: PLC0415 - as above
    from kubetune.adapters.kubernetes.reference import Reference  # noqa: PLC0415 - as above
    from kubetune.controller.resource import Resource  # noqa: PLC0415 - as above

    api = None
    try:
        api = await server.Api.connect(kubeconfig=access.kubeconfig, context=access.context)
        space = namespace or server.usual_namespace(access.kubeconfig, access.context)
        asked = Reference(namespace=space, name=name, uid="")
        try:
            resource = Resource.of(await api.request("GET", asked.path))
        except server.ApiRefused as error:
            fail(_refused(error.status, error.message, f"study '{name}' in namespace '{space}'"))
        if access.storage:
            return Found(resource, None)
        try:
            return Found(resource, await results.read(api, resource.reference))
        except server.ApiRefused as error:
            fail(_unread(error.status, error.message, resource))
    except server.ApiUnreachable as error:
        fail(str(error))
    finally:
        if api:
            await api.close()


def _refused(status: int, message: str, what: str) -> str:
    from kubetune.controller.ground import NO_CRD  # noqa: PLC0415 - packages

    if status == _NOT_FOUND:
        served = "not found" in message
        return f"no {what}; another namespace is chosen with -n" if served else NO_CRD
    if status == _UNAUTHORIZED:
        return f"the API server does not know who asks: {message}"
    return f"the API server refuses: {message}"


def _unread(status: int, message: str, resource: "Resource") -> str:
    elsewhere = "with --storage URL trials are read from the operator's database instead"
    if status == _NOT_FOUND:
        when = "has ended" if resource.ended else "has not ended"
        return (
            f"{resource} has no results yet, and {when}: the operator writes them when a study"
            f" ends or is suspended, and every ten minutes meanwhile; {elsewhere}"
        )
    if status == _FORBIDDEN:
        return f"{message}; ask for the right to get configmaps; {elsewhere}"
    return f"the API server refuses: {message}"


def _missing(told: Mapping[str, Any], status: Mapping[str, Any]) -> list[str]:
    """What the ConfigMap has not: by its own word, and trials that came after it."""
    lines = []
    left_out, counts = told.get("leftOut") or {}, told.get("counts") or {}
    if trials := left_out.get("trials"):
        lines.append(f"{count(trials, 'trial')} of {counts.get('total')} had no room in it")
    if points := left_out.get("points"):
        lines.append(f"{count(points, 'point')} of curves had no room in it")
    now, then = (ended(each) for each in (status.get("trials") or {}, counts))
    if now > then:
        lines.append(f"{count(now - then, 'trial')} ended after it was written")
    return [f"the ConfigMap is not all: {line}; --storage URL reads the rest" for line in lines]


def ended(counts: Mapping[str, Any]) -> int:
    """How many trials have ended, by counts on the wire."""
    return int(counts.get("total", 0)) - int(counts.get("active", 0))
