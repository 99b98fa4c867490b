"""When the next write to the API server may begin."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from kubetune.app.backoff import Backoff
from kubetune.domain.ports import Clock

Sleep = Callable[[float], Awaitable[None]]
"""Waits so many seconds; `asyncio.sleep`, or a test's own."""


class Pace:
    """At once when idle, one write in `seconds` when busy, longer after failures.

    An idle time saves up at most `burst` writes that may follow each other at once. Once hurried,
    nothing is waited for but `HURRIED_SECONDS` after a failure, until `relax`.
    """

    HURRIED_SECONDS = 0.2

    def __init__(self, clock: Clock, sleep: Sleep, *, seconds: float, burst: int = 1) -> None:
        self._clock = clock
        self._sleep = sleep
        self._seconds = seconds
        self._saved_seconds = (burst - 1) * seconds
        self._spent_until = clock.monotonic()
        self._backoff = Backoff()
        self._hurry = asyncio.Event()

    @property
    def failures(self) -> int:
        """How many writes in a row went wrong."""
        return self._backoff.failures

    def hurry(self) -> None:
        """Makes every turn come at once, one that is being waited for included."""
        self._hurry.set()

    def relax(self) -> None:
        """Goes back to the usual pace."""
        self._hurry.clear()

    async def turn(
        self, seconds: float | None = None, *, unless: asyncio.Event | None = None
    ) -> None:
        """Returns when a write may begin.

        One that can wait comes `seconds` after the last write instead, or as soon as `unless` is
        set.
        """
        now = self._clock.monotonic()
        later = self._spent_until - self._saved_seconds
        if seconds is not None:
            later += seconds - self._seconds
        wait = max(later - now, self._backoff.wait_seconds(now))
        if wait > 0 and not self._hurry.is_set():
            await self._sleep_until(wait, self._hurry, unless or self._hurry)
        if self._hurry.is_set() and self.failures:
            await self._sleep(self.HURRIED_SECONDS)

    def succeeded(self) -> None:
        """A write was carried out."""
        self._backoff.succeeded()
        self._spent_until = max(self._clock.monotonic(), self._spent_until) + self._seconds

    def failed(self) -> None:
        """A write went wrong: the next one waits longer."""
        self._backoff.failed(self._clock.monotonic())

    async def _sleep_until(self, seconds: float, *earlier: asyncio.Event) -> None:
        """Sleeps, but not longer than until one of the events is set."""
        waits: list[asyncio.Future[Any]] = [asyncio.ensure_future(self._sleep(seconds))]
        waits += [asyncio.ensure_future(event.wait()) for event in earlier]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
