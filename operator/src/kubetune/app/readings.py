"""Live values, read beside the loop: a trial that answers slowly delays no other one's slot."""

import asyncio
from collections.abc import Collection, Mapping, Sequence

from kubetune.domain.observation import LastReading, Reading
from kubetune.domain.ports import Clock, MetricSource
from kubetune.domain.runs import Run, RunState

LAG_INTERVALS = 3
"""A source that lags behind is asked at least so often about a run that has ended."""


class Readings:
    """The newest reading of each running trial, and at most one question under way.

    `latest` is kept until the next answer: what a pass does not store yet, the next one sees.
    `trouble` has the source's own words while it is not `reachable`.
    """

    latest: Mapping[int, Reading]

    def __init__(self, source: MetricSource, clock: Clock) -> None:
        self.latest = {}
        self.reachable = True
        self.trouble = ""
        self.task: asyncio.Task[None] | None = None
        self._source = source
        self._clock = clock
        self._asked_at: float | None = None
        self._awaited_since: dict[str, float] = {}
        self._asked: set[str] = set()
        self._answered: set[str] = set()

    def lag_seconds(self, interval_seconds: float) -> float:
        """How long an ended run's values are waited for; 0 when none can come."""
        lag = self._source.lag_seconds
        return max(lag, LAG_INTERVALS * interval_seconds) if lag else 0.0

    def last(self) -> dict[str, LastReading]:
        """How the last readings of the ended runs stand that are waited for, by uid."""
        now = self._clock.monotonic()
        return {
            uid: LastReading(now - since, uid in self._answered)
            for uid, since in self._awaited_since.items()
        }

    def refresh(
        self, runs: Sequence[Run], interval_seconds: float, awaited: Collection[str] = ()
    ) -> None:
        """Asks again when the interval has passed, without waiting for the answer.

        Running runs are asked about, and the ended ones in `awaited` (uids); the first question
        about one of those does not wait for the interval.
        """
        now = self._clock.monotonic()
        self._awaited_since = {uid: self._awaited_since.get(uid, now) for uid in awaited}
        self._asked.intersection_update(awaited)
        self._answered.intersection_update(awaited)
        if self.task and not self.task.done():
            return
        self.task = None
        asked = [run for run in runs if run.state is RunState.RUNNING or run.uid in awaited]
        due = self._asked_at is None or now - self._asked_at >= interval_seconds
        if asked and (due or self._awaited_since.keys() - self._asked):
            self._asked_at = now
            self._asked.update(awaited)
            self.task = asyncio.create_task(self._read(asked, frozenset(awaited)))

    async def close(self) -> None:
        """Forgets a question under way."""
        if self.task:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            self.task = None

    async def _read(self, runs: Sequence[Run], awaited: frozenset[str]) -> None:
        try:
            self.latest = await self._source.read(runs)
        except Exception as error:  # noqa: BLE001 - whatever a source raises, the study goes on without it
            self.reachable, self.trouble = False, str(error) or type(error).__name__
        else:
            self.reachable, self.trouble = True, ""
            self._answered.update(awaited)
