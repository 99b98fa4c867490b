"""How far running trials have come, remembered on the way to the engine."""

from collections.abc import Mapping, Sequence

from kubetune.domain.observation import Reading
from kubetune.domain.ports import MetricSource
from kubetune.domain.runs import Run


class WatchedMetrics:
    """A MetricSource that passes readings on and keeps each trial's last progress to show."""

    def __init__(self, source: MetricSource) -> None:
        self._source = source
        self.progress: dict[int, float] = {}

    async def read(self, runs: Sequence[Run]) -> Mapping[int, Reading]:
        """See MetricSource.read."""
        readings = await self._source.read(runs)
        for number, reading in readings.items():
            self.progress[number] = max(self.progress.get(number, 0.0), reading.progress)
        return readings
