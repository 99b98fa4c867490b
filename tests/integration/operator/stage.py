"""A study on a control plane without nodes, and a script that its trials' pods follow.

What a real kubelet does is shown in `tests/e2e`; here its words are played, so that nothing has to
be waited for and anything can be said.
"""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from kubetune.adapters.kubernetes.api import Api, ApiRefused, ApiUnreachable
from tests.builders import make_result
from tests.cluster import users
from tests.cluster.control_plane import ControlPlane
from tests.cluster.requests import wait_until
from tests.fakes.kubelet import Kubelet, kubelet

MERGE = "application/merge-patch+json"
SECONDS = 120.0
"""For anything that a test waits for: many times what it takes on an idle machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A pod's part: which trial it is, and what its trainer was told."""

    study: str
    study_uid: str
    number: int
    attempt: int
    environment: Mapping[str, str]
    pod: Mapping[str, Any]

    @property
    def x(self) -> float:
        """The parameter that every study here has."""
        return float(self.environment["KUBETUNE_PARAM_x"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Last:
    """A trainer's exit code and last words; `more` goes into the container's status as it is."""

    code: int = 0
    message: str = ""
    more: Mapping[str, Any] = field(default_factory=dict)


Script = Callable[[Part], Last | None]
"""What a running pod does: its end, or None while it goes on."""


def completes(part: Part) -> Last | None:
    """Every trial completes at once, with its x as its accuracy."""
    return Last(message=make_result(part.x).decode())


def below(number: int) -> Script:
    """Only the trials before this number complete; the others go on."""
    return lambda part: completes(part) if part.number < number else None


class Play:
    """The pods of a namespace. `script` may be exchanged at any time."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self._over: dict[str, Part] = {}

    @property
    def ended(self) -> list[tuple[str, int, int]]:
        """Study, number and attempt of each pod that has said its last words."""
        return [(part.study, part.number, part.attempt) for part in list(self._over.values())]

    def ended_of(self, study_uid: str) -> list[tuple[int, int]]:
        """Number and attempt of each of a study's pods that has."""
        parts = (part for part in list(self._over.values()) if part.study_uid == study_uid)
        return [(part.number, part.attempt) for part in parts]

    async def turn(self, node: Kubelet, api: Api, namespace: str) -> None:
        """Lets every running pod act once; an API server that is away is waited for."""
        with suppress(ApiRefused, ApiUnreachable):
            found = await api.request("GET", f"/api/v1/namespaces/{namespace}/pods")
            for pod in found["items"]:
                await self._act(node, pod)

    async def _act(self, node: Kubelet, pod: dict[str, Any]) -> None:
        """Without an answer the words count as said, and are said again."""
        part = _part(pod)
        if part is None or (last := self.script(part)) is None:
            return
        uid = pod["metadata"]["uid"]
        self._over[uid] = part
        try:
            await node._end(pod, last.code, last.message, **last.more)
        except ApiRefused:
            del self._over[uid]


@contextmanager
def played(plane: ControlPlane, namespace: str, script: Script = completes) -> Iterator[Play]:
    """Plays a namespace's pods in a thread of its own, until the block is over."""
    play, over = Play(script), threading.Event()

    async def follow() -> None:
        api = await Api.connect(kubeconfig=plane.kubeconfig)
        try:
            async with kubelet(api, namespace, _nothing) as node:
                while not over.is_set():
                    await play.turn(node, api, namespace)
                    await asyncio.sleep(0.1)
        finally:
            await api.close()

    thread = threading.Thread(target=lambda: asyncio.run(follow()), name="play", daemon=True)
    thread.start()
    try:
        yield play
    finally:
        over.set()
        thread.join()


class Study:
    """One study's resource, made by `user`, and what belongs to it."""

    def __init__(
        self,
        plane: ControlPlane,
        namespace: str,
        name: str = "study",
        *,
        labels: Mapping[str, str] | None = None,
        container: Mapping[str, Any] | None = None,
        user: str = users.ADMIN,
        **spec: Any,
    ) -> None:
        self.plane, self.namespace, self.name = plane, namespace, name
        self._kind = f"/apis/kubetune.io/v1alpha1/namespaces/{namespace}/tuningstudies"
        trainer = {"name": "trainer", "image": "none", **(container or {})}
        values: dict[str, Any] = {
            "objectives": [{"metric": "accuracy", "direction": "Maximize"}],
            "parameters": [{"name": "x", "type": "Double", "min": 0, "max": 1}],
            "sampler": {"algorithm": "Random"},
            "trials": {"max": 3, "parallelism": 2},
            "trialTemplate": {"spec": {"containers": [trainer]}},
        }
        body = {
            "apiVersion": "kubetune.io/v1alpha1",
            "kind": "TuningStudy",
            "metadata": {"name": name, "labels": dict(labels or {})},
            "spec": values | spec,
        }
        made = plane.server(user).json("POST", self._kind, body)
        self.uid: str = made["metadata"]["uid"]

    @classmethod
    def there(cls, plane: ControlPlane, namespace: str, name: str) -> "Study":
        """One that somebody has made already."""
        found = cls.__new__(cls)
        found.plane, found.namespace, found.name = plane, namespace, name
        found._kind = f"/apis/kubetune.io/v1alpha1/namespaces/{namespace}/tuningstudies"
        found.uid = found.resource["metadata"]["uid"]
        return found

    @property
    def resource(self) -> dict[str, Any]:
        """The whole object."""
        return dict(self.plane.request("GET", f"{self._kind}/{self.name}"))

    @property
    def status(self) -> dict[str, Any]:
        """Its status, empty before the first one."""
        return dict(self.resource.get("status") or {})

    @property
    def counts(self) -> dict[str, int]:
        """Its trials by state."""
        return dict(self.status.get("trials") or {})

    @property
    def ended(self) -> bool:
        """Whether its status says that it has ended."""
        return "completionTime" in self.status

    @property
    def active(self) -> dict[int, dict[str, Any]]:
        """The trials that run or wait, by number."""
        return {trial["number"]: trial for trial in self.status.get("active", ())}

    @property
    def recent(self) -> dict[int, dict[str, Any]]:
        """The trials that ended last, by number."""
        return {trial["number"]: trial for trial in self.status.get("recent", ())}

    @property
    def jobs(self) -> list[dict[str, Any]]:
        """The Jobs that it owns."""
        return [job for job in self._items("/apis/batch/v1", "jobs") if self._owns(job)]

    @property
    def events(self) -> list[str]:
        """`Reason: message` of everything that was announced about it."""
        found = self._items("/api/v1", "events")
        mine = (each for each in found if each["involvedObject"].get("uid") == self.uid)
        return [f"{each['reason']}: {each['message']}" for each in mine]

    @property
    def running(self) -> list[int]:
        """The trials that run, so far as the status tells."""
        return [n for n, trial in self.active.items() if trial["state"] == "Running"]

    def condition(self, kind: str) -> tuple[str, str]:
        """Status and message of a condition; two empty words without it."""
        found = {each["type"]: each for each in self.status.get("conditions", ())}
        return found.get(kind, {}).get("status", ""), found.get(kind, {}).get("message", "")

    def patch(self, **spec: Any) -> None:
        """Changes its spec as `kubectl patch` does."""
        self.plane.request("PATCH", f"{self._kind}/{self.name}", {"spec": spec}, MERGE)

    def until(self, holds: Callable[[], object], what: str) -> None:
        """Waits; in vain, it says where the study stands."""
        try:
            wait_until(holds, what, SECONDS)
        except TimeoutError as error:
            error.add_note(str(self.status)[-3000:])
            raise

    def delete(self) -> None:
        """Deletes it; returns at once."""
        self.plane.request("DELETE", f"{self._kind}/{self.name}")

    def finish(self) -> dict[str, Any]:
        """Waits for its end; the very status that tells of it.

        An operator that is late may overwrite it for a moment, where there are two by mistake.
        """
        status: dict[str, Any] = {}

        def told() -> bool:
            nonlocal status
            status = self.status
            return "completionTime" in status

        self.until(told, f"study {self.name} to end")
        return status

    def _items(self, group: str, kind: str) -> list[dict[str, Any]]:
        return list(
            self.plane.request("GET", f"{group}/namespaces/{self.namespace}/{kind}")["items"]
        )

    def _owns(self, job: Mapping[str, Any]) -> bool:
        owners = job["metadata"].get("ownerReferences", ())
        return any(owner["uid"] == self.uid for owner in owners)


def _part(pod: Mapping[str, Any]) -> Part | None:
    """The part of a pod that runs; None for one that does not, or is no trial's."""
    labels = pod["metadata"].get("labels", {})
    runs = pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]
    if not runs or "kubetune.io/trial" not in labels:
        return None
    entries = pod["spec"]["containers"][0].get("env", ())
    return Part(
        study=labels["kubetune.io/study"],
        study_uid=labels["kubetune.io/study-uid"],
        number=int(labels["kubetune.io/trial"]),
        attempt=int(labels["kubetune.io/attempt"]),
        environment={entry["name"]: entry.get("value", "") for entry in entries},
        pod=pod,
    )


async def _nothing() -> None:
    """Nobody is to be told."""
