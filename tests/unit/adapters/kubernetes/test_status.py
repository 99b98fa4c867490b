"""How long a sink waits before it writes; what it writes is shown on a server.

See `tests/integration/kubernetes/test_status.py`.
"""

import asyncio
from typing import Any, cast

import pytest

from kubetune.adapters.kubernetes.api import Api, ApiRefused
from kubetune.adapters.kubernetes.pace import Pace
from kubetune.adapters.kubernetes.reference import Reference
from kubetune.adapters.kubernetes.status import LIVE_SECONDS, SOON_SECONDS, ResourceSink
from tests.fakes.clock import FakeClock

STUDY = Reference(namespace="default", name="study", uid="a")


class Refusing:
    """An API server that refuses so many writes."""

    def __init__(self, times: int) -> None:
        self._left = times

    async def request(self, method: str, path: str, **_: Any) -> dict[str, Any]:
        if method == "PATCH" and self._left:
            self._left -= 1
            raise ApiRefused(403, "Forbidden", "not you")
        return {"metadata": {"uid": STUDY.uid, "resourceVersion": "1"}}


@pytest.mark.parametrize(
    ("hurried", "seconds"),
    [(True, [Pace.HURRIED_SECONDS] * 4), (False, [1.0, 2.0, 4.0, 8.0])],
)
async def test_only_who_has_no_time_is_in_a_hurry(hurried: bool, seconds: list[float]) -> None:
    """Last words are tried five times a second; who can wait leaves the server alone."""
    naps: list[float] = []

    async def nap(wait: float) -> None:
        naps.append(wait)
        await asyncio.sleep(0)

    api = cast("Api", Refusing(4))
    sink = ResourceSink(api, STUDY, cast("Any", None), clock=FakeClock(), generation=1, sleep=nap)
    sink.publish_raw({"phase": "Succeeded"})
    assert await sink.flush(hurried=hurried)
    assert naps == pytest.approx(seconds)


RUNNING = {"phase": "Running", "active": [{"number": 1, "state": "Pending"}]}
STARTED = {"phase": "Running", "active": [{"number": 1, "state": "Running"}]}
FURTHER = {"phase": "Running", "active": [{"number": 1, "state": "Pending", "progress": 0.5}]}
ENDED = {"phase": "Succeeded", "active": []}


class Naps:
    """Sleeps that end when they are told to; `asked` are those that somebody is in."""

    def __init__(self) -> None:
        self.asked: dict[float, asyncio.Event] = {}

    async def __call__(self, seconds: float) -> None:
        self.asked[seconds] = asyncio.Event()
        try:
            await self.asked[seconds].wait()
        finally:
            del self.asked[seconds]


@pytest.mark.parametrize(
    ("status", "seconds"),
    [(STARTED, SOON_SECONDS), (FURTHER, LIVE_SECONDS), (ENDED, 1.0)],
    ids=["a trial begins to run", "a trial goes on", "the study ends"],
)
async def test_what_can_wait_is_taken_along(status: dict[str, Any], seconds: float) -> None:
    """The less a change says, the longer it waits for another one to be written with."""
    naps = Naps()
    api = cast("Api", Refusing(0))
    sink = ResourceSink(api, STUDY, cast("Any", None), clock=FakeClock(), generation=1, sleep=naps)
    sink.publish_raw(RUNNING)
    await _settled()
    assert not naps.asked
    sink.publish_raw(status)
    await _settled()
    assert list(naps.asked) == [seconds]
    sink.publish_raw(ENDED)
    await _settled()
    assert list(naps.asked) == [1.0]
    await sink.close()


async def _settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)
