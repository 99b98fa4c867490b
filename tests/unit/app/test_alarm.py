"""What a sleeping loop wakes for, and that it never spins."""

import asyncio
from typing import Any

import pytest

from kubetune.app.alarm import Alarm
from kubetune.app.readings import Readings
from tests.builders import NOW
from tests.fakes.clock import FakeClock
from tests.fakes.executor import FakeExecutor
from tests.fakes.metrics import FakeMetrics


def make_alarm() -> tuple[Alarm, FakeExecutor]:
    executor = FakeExecutor(lambda: NOW)
    return Alarm(executor, Readings(FakeMetrics(), FakeClock())), executor


@pytest.mark.parametrize("seconds", [0.0, -5.0, 0.001])
async def test_no_sleep_is_shorter_than_the_least(
    seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deadline that stays in the past would else turn the loop without end."""
    alarm, _ = make_alarm()
    asked: list[float | None] = []
    wait = asyncio.wait

    async def watched(waits: set, **options: Any) -> object:
        asked.append(options["timeout"])
        return await wait(waits, **(options | {"timeout": 0.0}))

    monkeypatch.setattr(asyncio, "wait", watched)
    await alarm.sleep(seconds)
    await alarm.close()
    assert asked == [Alarm.LEAST_SECONDS]


async def test_news_wakes_at_once() -> None:
    """The least is for passes without news alone."""
    alarm, executor = make_alarm()
    executor.add(0, 1)
    await asyncio.wait_for(alarm.sleep(None), 10)
    alarm.ring()
    await asyncio.wait_for(alarm.sleep(None), 10)
    await alarm.close()


async def test_closed_it_may_be_used_again() -> None:
    """The next run of an engine asks its executor anew."""
    alarm, executor = make_alarm()
    await alarm.sleep(0.0)
    await alarm.close()
    executor.add(0, 1)
    await asyncio.wait_for(alarm.sleep(None), 10)
    await alarm.close()
