"""A source of live values that a test fills by hand."""

from collections.abc import Mapping, Sequence

from kubetune.domain.observation import Reading
from kubetune.domain.runs import Run


class FakeMetrics:
    """The MetricSource port; `readings` by trial number is what runs show now.

    `down`: it does not answer.
    """

    def __init__(self) -> None:
        self.lag_seconds = 0.0
        self.down = False
        self.readings: dict[int, Reading] = {}
        self.asked: list[tuple[int, ...]] = []

    async def read(self, runs: Sequence[Run]) -> Mapping[int, Reading]:
        numbers = tuple(run.number for run in runs)
        self.asked.append(numbers)
        if self.down:
            raise OSError("no answer")
        return {number: self.readings[number] for number in numbers if number in self.readings}
