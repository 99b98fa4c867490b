"""What an operator says of itself, and how it heeds that it is to stop."""

import asyncio

from kubetune.controller.options import Options
from kubetune.controller.running import _greeting, _unless


def test_its_greeting_has_no_secrets() -> None:
    """What is watched, which kind of storage, where Prometheus is: in one line."""
    words = _greeting(
        Options(
            storage="postgresql+psycopg://me:secret@db:5432/tuning?sslpassword=hidden",
            prometheus="http://prometheus:9090",
            namespaces=("a", "b"),
        )
    )
    assert "watches namespaces: a, b;" in words
    assert "storage: postgresql+psycopg://db:5432/tuning;" in words
    assert words.endswith("live metrics from: http://prometheus:9090")
    assert not {word for word in ("me:", "secret", "hidden") if word in words}
    assert "namespaces: all;" in _greeting(Options(storage="sqlite://"))


async def test_waiting_ends_with_the_wish_to_stop() -> None:
    """What was waited for is cancelled, and does not count as come."""
    stop, begun = asyncio.Event(), asyncio.Event()

    async def wait_for_ever() -> None:
        begun.set()
        await asyncio.Event().wait()

    waiting = asyncio.create_task(_unless(stop, wait_for_ever()))
    await begun.wait()
    stop.set()
    assert await waiting is False
    assert await _unless(stop, asyncio.sleep(0)) is False
    assert await _unless(asyncio.Event(), asyncio.sleep(0)) is True
