"""Live values, read beside the loop: a trial that answers slowly delays no other one's slot."""

import asyncio
from collections.abc import Mapping, Sequence

from kubetune.domain.observation import Reading
from kubetune.domain.ports import Clock, MetricSource
from kubetune.domain.runs import Run, RunState


class Readings:
    """The newest reading of each running trial, and at most one question under way.

    `latest` is kept until the next answer: what a pass does not store yet, the next one sees.
    """

    latest: Mapping[int, Reading]

    def __init__(self, source: MetricSource, clock: Clock) -> None:
        self.latest = {}
        self.reachable = True
        self.task: asyncio.Task[None] | None = None
        self._source = source
        self._clock = clock
        self._asked_at: float | None = None

    def refresh(self, runs: Sequence[Run], interval_seconds: float) -> None:
        """Asks again when the interval has passed, without waiting for the answer."""
        if self.task and not self.task.done():
            return
        self.task = None
        running = [run for run in runs if run.state is RunState.RUNNING]
        if running and self._due(interval_seconds):
            self._asked_at = self._clock.now()
            self.task = asyncio.create_task(self._read(running))

    async def close(self) -> None:
        """Forgets a question under way."""
        if self.task:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            self.task = None

    def _due(self, interval_seconds: float) -> bool:
        return self._asked_at is None or not (
            0 <= self._clock.now() - self._asked_at < interval_seconds
        )

    async def _read(self, runs: Sequence[Run]) -> None:
        try:
            self.latest = await self._source.read(runs)
        except Exception:  # noqa: BLE001 - whatever a source raises, the study goes on without it
            self.reachable = False
        else:
            self.reachable = True
