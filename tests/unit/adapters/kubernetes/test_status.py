"""How a sink waits for a server that does not take its status; what it writes is shown on a server.

See `tests/integration/kubernetes/test_status.py`.
"""

import asyncio
from typing import Any, cast

import pytest

from kubetune.adapters.kubernetes.api import Api, ApiRefused
from kubetune.adapters.kubernetes.pace import Pace
from kubetune.adapters.kubernetes.reference import Reference
from kubetune.adapters.kubernetes.status import ResourceSink
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
