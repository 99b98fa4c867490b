"""Studies on a real API server, for what writes about them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from kubetune.adapters.kubernetes.api import Api
from kubetune.adapters.kubernetes.reference import API_VERSION, KIND, Reference
from kubetune.adapters.kubernetes.status import ResourceSink
from kubetune.api.status import status_of
from kubetune.app.clock import SystemClock
from kubetune.domain.events import Event
from kubetune.domain.reasons import EventReason, StudyReason
from kubetune.domain.status import Condition, ConditionType, Counts, StudyStatus, Truth
from tests.builders import make_study
from tests.cluster.control_plane import ControlPlane
from tests.cluster.requests import wait_until

SPEC = {
    "objectives": [{"metric": "accuracy", "direction": "Maximize"}],
    "parameters": [{"name": "x", "type": "Double", "min": 0, "max": 1}],
    "trials": {"max": 10, "parallelism": 2},
    "trialTemplate": {"spec": {"containers": [{"name": "trainer", "image": "busybox"}]}},
}


class Shown:
    """One study's resource, and a sink to write to it."""

    def __init__(self, plane: ControlPlane, namespace: str, name: str = "study") -> None:
        self.plane = plane
        self.path = f"/apis/{API_VERSION}/namespaces/{namespace}/tuningstudies"
        self.namespace, self.name = namespace, name
        self.reference = self.make()

    def make(self) -> Reference:
        """Makes the resource; another call after `delete` makes another of the same name."""
        meta = {"name": self.name}
        body = {"apiVersion": API_VERSION, "kind": KIND, "metadata": meta, "spec": SPEC}
        made = self.plane.request("POST", self.path, body)
        return Reference(namespace=self.namespace, name=self.name, uid=str(made["metadata"]["uid"]))

    def delete(self) -> None:
        self.plane.request("DELETE", f"{self.path}/{self.name}")

    def read(self) -> dict[str, Any]:
        return dict(self.plane.request("GET", f"{self.path}/{self.name}"))

    @property
    def status(self) -> dict[str, Any]:
        return dict(self.read().get("status", {}))

    @property
    def events(self) -> list[dict[str, Any]]:
        path = f"/api/v1/namespaces/{self.namespace}/events"
        items = self.plane.request("GET", path)["items"]
        return [item for item in items if item["involvedObject"]["kind"] == KIND]

    def sink(self, api: Api, **changes: Any) -> ResourceSink:
        return ResourceSink(
            api,
            changes.pop("reference", self.reference),
            partial(status_of, spec=make_study(), uid=self.reference.uid),
            **{"clock": SystemClock(), "generation": 1, **changes},
        )

    def until(self, done: Callable[["Shown"], object], what: str) -> None:
        wait_until(lambda: done(self), what)


def make_status(complete: int = 0, **changes: Any) -> StudyStatus:
    """A running study with so many trials complete."""
    values: dict[str, Any] = {
        "phase": "Running",
        "conditions": (
            Condition(ConditionType.VALID, Truth.TRUE, StudyReason.AS_EXPECTED),
            Condition(ConditionType.SUCCEEDED, Truth.UNKNOWN, StudyReason.RUNNING),
        ),
        "counts": Counts(total=complete, complete=complete),
    }
    return StudyStatus(**(values | changes))


def launched(number: int) -> Event:
    return Event(EventReason.TRIAL_LAUNCHED, f"trial {number} launched: x=0.{number}", number)


def transition(status: Mapping[str, Any], kind: ConditionType) -> str:
    """When a condition last changed."""
    conditions = {each["type"]: each for each in status["conditions"]}
    return str(conditions[kind]["lastTransitionTime"])
