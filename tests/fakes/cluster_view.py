"""A ClusterView without watches: it lists, again and again."""

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from kubetune.adapters.kubernetes.api import Api
from kubetune.adapters.kubernetes.seen import JobSeen, PodSeen
from tests.fakes.repeating import repeating


class ListView:
    """The Jobs and pods of one namespace as they were a moment ago, whoever's they are."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._api = api
        self._namespace = namespace
        self._jobs: tuple[JobSeen, ...] = ()
        self._pods: tuple[PodSeen, ...] = ()
        self.wake: Callable[[], None] = lambda: None

    def jobs(self, study_uid: str) -> Iterable[JobSeen]:
        return self._jobs

    def pods(self, study_uid: str) -> Iterable[PodSeen]:
        return self._pods

    async def refresh(self) -> None:
        """Looks once, and wakes whoever follows when anything has changed."""
        jobs = await self._list("/apis/batch/v1", "jobs")
        pods = await self._list("/api/v1", "pods")
        new = tuple(map(JobSeen.of, jobs)), tuple(map(PodSeen.of, pods))
        changed = new != (self._jobs, self._pods)
        self._jobs, self._pods = new
        if changed:
            self.wake()

    async def _list(self, group: str, kind: str) -> list[dict[str, Any]]:
        found = await self._api.request("GET", f"{group}/namespaces/{self._namespace}/{kind}")
        return list(found["items"])


@asynccontextmanager
async def list_view(api: Api, namespace: str) -> AsyncIterator[ListView]:
    """A view that looks twenty times a second for as long as the block lasts."""
    view = ListView(api, namespace)

    async with repeating(view.refresh):
        yield view
