"""A sink that remembers what was published."""

from collections.abc import Sequence

from kubetune.domain.events import Event
from kubetune.domain.reasons import EventReason
from kubetune.domain.status import StudyStatus


class FakeSink:
    """The StatusSink port, kept in memory."""

    def __init__(self) -> None:
        self.statuses: list[StudyStatus] = []
        self.events: list[Event] = []

    async def publish(self, status: StudyStatus, events: Sequence[Event]) -> None:
        self.statuses.append(status)
        self.events.extend(events)

    def said(self, reason: EventReason) -> list[str]:
        """The sentences of every event of one reason."""
        return [event.message for event in self.events if event.reason is reason]
