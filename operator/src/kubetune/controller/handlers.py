"""What Kopf calls. Nothing is decided here: an event wakes a study's loop, the loop looks itself.

Only low-level handlers are used. They write nothing on any object: no annotation, no finalizer, no
state of Kopf's own, so that a study can be deleted while no operator runs. Jobs and pods are
indexed; no event is handled before all that exist have been.
"""

from collections.abc import Mapping
from typing import Any

import kopf

from kubetune.adapters.kubernetes.names import MANAGED, STUDY_UID
from kubetune.adapters.kubernetes.seen import JobSeen, PodSeen
from kubetune.api.v1alpha1.study import GROUP, VERSION
from kubetune.controller.ground import PLURAL
from kubetune.controller.login import login
from kubetune.controller.operator import Operator
from kubetune.controller.view import IndexView


def registry(operator: Operator) -> kopf.OperatorRegistry:
    """All handlers of an operator."""
    found = kopf.OperatorRegistry()
    _register_life(found, operator)
    _register_studies(found, operator)
    _register_children(found, operator)
    return found


def _register_life(found: kopf.OperatorRegistry, operator: Operator) -> None:
    @kopf.on.login(registry=found, id="login")
    async def connect(**given: Any) -> kopf.ConnectionInfo | None:
        return login(**given)

    @kopf.on.startup(registry=found, id="start", errors=kopf.ErrorsMode.PERMANENT)
    async def start(**given: Any) -> None:
        operator.watch(IndexView(given["jobs"], given["pods"]))

    @kopf.on.cleanup(registry=found, id="stop", errors=kopf.ErrorsMode.PERMANENT)
    async def stop(**_: Any) -> None:
        await operator.rest()


def _register_studies(found: kopf.OperatorRegistry, operator: Operator) -> None:
    @kopf.on.event(GROUP, VERSION, PLURAL, registry=found, id="study")
    async def study(event: Mapping[str, Any], **_: Any) -> None:
        if event["type"] == "DELETED":
            operator.studies.gone(event["object"]["metadata"]["uid"])
        else:
            operator.studies.saw(event["object"])


def _register_children(found: kopf.OperatorRegistry, operator: Operator) -> None:
    """Bodies are read as plain dictionaries: Kopf's own views of them are slow."""

    @kopf.index("batch", "v1", "jobs", registry=found, id="jobs", labels=MANAGED)
    async def jobs(body: kopf.Body, **_: Any) -> dict[str, JobSeen]:
        seen = JobSeen.of(dict(body))
        return {seen.study_uid: seen}

    @kopf.index("", "v1", "pods", registry=found, id="pods", labels=MANAGED)
    async def pods(body: kopf.Body, **_: Any) -> dict[str, PodSeen]:
        seen = PodSeen.of(dict(body))
        return {seen.study_uid: seen}

    @kopf.on.event("batch", "v1", "jobs", registry=found, id="job", labels=MANAGED)
    @kopf.on.event("", "v1", "pods", registry=found, id="pod", labels=MANAGED)
    async def child(labels: Mapping[str, str], **_: Any) -> None:
        operator.studies.wake(labels.get(STUDY_UID, ""))
