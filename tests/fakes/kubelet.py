"""A kubelet without a node: it binds the pods of a namespace and says of them what a test wants."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from kubetune.adapters.kubernetes.api import MERGE, Api, ApiRefused, ApiUnreachable
from tests.fakes.repeating import repeating

NODE = "node-of-words"


class Kubelet:
    """Runs every pod at once, as far as the API server can tell, until `finish`.

    A pod that is deleted ends with 143 and goes, as one that handles SIGTERM does; it is there
    until `after_an_end` has returned.
    """

    def __init__(
        self, api: Api, namespace: str, after_an_end: Callable[[], Awaitable[None]]
    ) -> None:
        self._api = api
        self._after_an_end = after_an_end
        self._pods = f"/api/v1/namespaces/{namespace}/pods"
        self.idle = False
        """Set, it leaves new pods to themselves."""

    async def turn(self) -> None:
        """Does for each pod what there is to do; an API server that is away is waited for."""
        with contextlib.suppress(ApiRefused, ApiUnreachable):
            for pod in (await self._api.request("GET", self._pods))["items"]:
                await self._look_at(pod)

    async def pod_of(self, job_uid: str) -> dict[str, Any]:
        """The pod of a Job, once there is one."""
        query = {"labelSelector": f"batch.kubernetes.io/controller-uid={job_uid}"}
        while True:
            found = await self._api.request("GET", self._pods, query=query)
            if found["items"]:
                return dict(found["items"][0])
            await asyncio.sleep(0.05)

    async def finish(self, job_uid: str, code: int, message: str = "", **terminated: Any) -> None:
        """Ends the trainer of a Job's pod."""
        pod = await self.pod_of(job_uid)
        while pod["status"].get("phase") != "Running":
            await asyncio.sleep(0.05)
            pod = await self.pod_of(job_uid)
        await self._end(pod, code, message, **terminated)

    async def say(self, pod: dict[str, Any], status: dict[str, Any]) -> None:
        """Changes a pod's status."""
        path = f"{self._pods}/{pod['metadata']['name']}/status"
        await self._api.request("PATCH", path, body={"status": status}, content_type=MERGE)

    async def _look_at(self, pod: dict[str, Any]) -> None:
        with contextlib.suppress(ApiRefused):  # somebody was faster: the next look sees it
            phase = pod["status"].get("phase")
            if "deletionTimestamp" in pod["metadata"]:
                await self._let_go(pod)
            elif phase == "Pending" and not self.idle:
                if "nodeName" not in pod["spec"]:
                    await self._bind(pod)
                await self.say(pod, _running(pod))

    async def _let_go(self, pod: dict[str, Any]) -> None:
        if pod["status"].get("phase") == "Running":
            await self._end(pod, 143, "")
            await self._after_an_end()
        path = f"{self._pods}/{pod['metadata']['name']}"
        await self._api.request("DELETE", path, query={"gracePeriodSeconds": "0"})

    async def _end(self, pod: dict[str, Any], code: int, message: str, **more: Any) -> None:
        began = pod["status"]["containerStatuses"][0]["state"]["running"]["startedAt"]
        ended = {
            "exitCode": code,
            "reason": "Error" if code else "Completed",
            "message": message,
            "startedAt": began,
            "finishedAt": _now(),
            **more,
        }
        statuses = _statuses(pod, {"terminated": ended})
        phase = "Failed" if code else "Succeeded"
        await self.say(pod, {"phase": phase, "containerStatuses": statuses})

    async def _bind(self, pod: dict[str, Any]) -> None:
        name = pod["metadata"]["name"]
        binding = {
            "apiVersion": "v1",
            "kind": "Binding",
            "metadata": {"name": name},
            "target": {"kind": "Node", "name": NODE},
        }
        await self._api.request("POST", f"{self._pods}/{name}/binding", body=binding)


@asynccontextmanager
async def kubelet(
    api: Api, namespace: str, after_an_end: Callable[[], Awaitable[None]]
) -> AsyncIterator[Kubelet]:
    """A kubelet that plays its part for as long as the block lasts."""
    found = Kubelet(api, namespace, after_an_end)
    await _ignore(409, api.request("POST", "/api/v1/nodes", body=_node()))
    async with repeating(found.turn):
        yield found


def _running(pod: dict[str, Any]) -> dict[str, Any]:
    statuses = _statuses(pod, {"running": {"startedAt": _now()}})
    return {"phase": "Running", "startTime": _now(), "containerStatuses": statuses}


def _statuses(pod: dict[str, Any], state: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": container["name"],
            "image": container["image"],
            "imageID": "none",
            "ready": "running" in state,
            "restartCount": 0,
            "state": state,
        }
        for container in pod["spec"]["containers"]
    ]


def _node() -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": NODE}}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def _ignore(status: int, request: Any) -> None:
    try:
        await request
    except ApiRefused as error:
        if error.status != status:
            raise
