"""One namespace of an API server in memory, and an operator's services over it.

Trials end at once while `ends` is set. What the real API server says to the same requests is shown
in `tests/integration`.
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Self, cast

from kubetune.adapters.kubernetes.api import JSON, Api, ApiRefused
from kubetune.adapters.kubernetes.seen import JobSeen, PodSeen
from kubetune.adapters.prometheus.exporter import Exporter
from kubetune.app.clock import SystemClock
from kubetune.controller.loop import StudyLoop
from kubetune.controller.options import Options
from kubetune.controller.resource import Resource
from kubetune.controller.services import Services
from kubetune.domain.ports import StorageUnreachable, TrialStore
from kubetune.domain.study import StudySpec
from kubetune.domain.warm_start import Earlier
from tests.builders import make_result
from tests.fakes.memory_store import MemoryStore
from tests.unit.adapters.kubernetes.bodies import STUDY_UID, pod_body, running, terminated

WAIT_SECONDS = 30.0


def make_body(
    *,
    uid: str = STUDY_UID,
    name: str = "study",
    generation: int = 1,
    status: Mapping[str, Any] | None = None,
    meta: Mapping[str, Any] | None = None,
    **spec: Any,
) -> dict[str, Any]:
    """A TuningStudy of three trials as the API server has it."""
    values = {
        "objectives": [{"metric": "accuracy", "direction": "Maximize"}],
        "parameters": [{"name": "x", "type": "Double", "min": 0, "max": 1}],
        "sampler": {"algorithm": "Random"},
        "trials": {"max": 3, "parallelism": 2},
        "trialTemplate": {"spec": {"containers": [{"name": "trainer", "image": "none"}]}},
    }
    return {
        "apiVersion": "kubetune.io/v1alpha1",
        "kind": "TuningStudy",
        "metadata": {
            "name": name,
            "namespace": "default",
            "uid": uid,
            "generation": generation,
            "resourceVersion": "1",
            **(meta or {}),
        },
        "spec": values | spec,
        **({"status": dict(status)} if status else {}),
    }


def refused(status: int, reason: str = "", message: str = "as a test asked") -> ApiRefused:
    return ApiRefused(status, reason, message)


class World:
    """`trouble` may raise for a request; `requests` has the method and path of each one.

    `meanwhile` happens while a study is read.
    """

    def __init__(self, **options: Any) -> None:
        self.studies: dict[str, dict[str, Any]] = {}
        self.children: dict[str, tuple[JobSeen, PodSeen]] = {}
        self.stores: dict[str, MemoryStore] = {}
        self.earlier: dict[str, Earlier] = {}
        self.open_stores = 0
        self.requests: list[tuple[str, str]] = []
        self.ends = True
        self.trouble: Callable[[str, str], None] = lambda _, __: None
        self.meanwhile: Callable[[], Awaitable[None]] | None = None
        self.storage_trouble: Callable[[], None] = lambda: None
        self.exporter = Exporter()
        self._versions = itertools.count(2)
        self.services = Services(
            options=Options(storage="sqlite://", resync_seconds=0.05, **options),
            api=cast("Api", self),
            view=self,
            exporter=self.exporter,
            poller=None,
            open_store=self._open_store,
            read_earlier=self._read_earlier,
            clock=SystemClock(),
        )

    def add(self, **body: Any) -> Resource:
        """A study that somebody applies, once more with another spec."""
        made = make_body(**body)
        before = self.studies.get(made["metadata"]["name"], {})
        self.studies[made["metadata"]["name"]] = {**before, **made}
        return Resource.of(made)

    def status(self, name: str = "study") -> dict[str, Any]:
        return dict(self.studies[name].get("status", {}))

    def jobs(self, study_uid: str) -> Iterable[JobSeen]:
        return [job for job, _ in self.children.values()]

    def pods(self, study_uid: str) -> Iterable[PodSeen]:
        return [pod for _, pod in self.children.values()]

    def asked(self, method: str, part: str = "") -> list[str]:
        return [path for verb, path in self.requests if verb == method and part in path]

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        content_type: str = JSON,
    ) -> dict[str, Any]:
        await asyncio.sleep(0)
        rehearsed = "dryRun" in (query or {})
        self.requests.append((method, path + ("?dryRun" if rehearsed else "")))
        self.trouble(method, path)
        name = path.removesuffix("/status").rpartition("/")[2]
        if method == "POST" and path.endswith("/jobs"):
            return {} if rehearsed else self._launch(cast("dict[str, Any]", body))
        if "/jobs/" in path:
            self.children.pop(name, None)
        if "/tuningstudies/" not in path:
            return {}
        if name not in self.studies:
            raise refused(404, "NotFound")
        study = self.studies[name]
        if method == "GET" and self.meanwhile:
            await self.meanwhile()
        if method == "PATCH":
            study["status"] = (body or {})["status"]
            study["metadata"]["resourceVersion"] = str(next(self._versions))
        return study

    def _launch(self, body: dict[str, Any]) -> dict[str, Any]:
        name = body["metadata"]["name"]
        number = int(body["metadata"]["labels"]["kubetune.io/trial"])
        body["metadata"]["uid"] = f"uid-of-{name}"
        state = terminated(0, message=make_result(0.5).decode()) if self.ends else running()
        uids = {"job_uid": f"uid-of-{name}", "meta": {"uid": f"pod-of-{name}"}}
        pod = pod_body(state, number=number, phase="Running", **uids)
        self.children[name] = JobSeen.of(body), PodSeen.of(pod)
        return body

    async def _open_store(self, name: str, spec: StudySpec) -> TrialStore:
        await asyncio.sleep(0)
        self.storage_trouble()
        store = self.stores.setdefault(name, Counted(spec, self))
        self.open_stores += 1
        await store.follow(spec)
        return store

    async def _read_earlier(self, name: str) -> Earlier | None:
        await asyncio.sleep(0)
        return self.earlier.get(name)


class Counted(MemoryStore):
    """A store that notes when it is closed."""

    def __init__(self, spec: StudySpec, world: World) -> None:
        super().__init__(spec, world.services.clock)
        self._world = world

    async def close(self) -> None:
        self._world.open_stores -= 1


class Running:
    """A loop that runs, for as long as the block lasts."""

    def __init__(self, world: World, resource: Resource) -> None:
        self.loop = StudyLoop(resource, world.services)

    async def __aenter__(self) -> Self:
        self.task = asyncio.create_task(self.loop.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)

    async def over(self) -> None:
        """Returns once the loop has come to its end."""
        await asyncio.wait_for(self.task, WAIT_SECONDS)


async def until(holds: Callable[[], object]) -> None:
    """Waits for what other tasks do."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            if holds():
                return
            await asyncio.sleep(0.01)


def unreachable() -> None:
    """A database that is away."""
    raise StorageUnreachable("storage: connection refused")
