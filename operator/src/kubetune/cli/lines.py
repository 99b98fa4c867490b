"""Events as plain lines, for pipes and logs."""

import os
import sys
import time
from collections.abc import Sequence
from typing import TextIO

from kubetune.cli.output import clean
from kubetune.domain.events import Event
from kubetune.domain.status import StudyStatus


class Lines:
    """A StatusSink that writes one line an event, with the time of day."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout

    async def publish(self, status: StudyStatus, events: Sequence[Event]) -> None:
        """Writes the events; the status itself is for tables."""
        del status
        for event in events:
            self.note(event.message)

    def note(self, text: str) -> None:
        """Writes one line; output that nobody can take is no reason to stop tuning."""
        try:
            self._stream.write(f"{time.strftime('%H:%M:%S')} {clean(text, 1000)}\n")
            self._stream.flush()
        except OSError:
            _to_nowhere(self._stream)

    def close(self) -> None:
        """Nothing is held."""


def _to_nowhere(stream: TextIO) -> None:
    """Sends all that a stream still holds, and all that follows, where nobody needs to read."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
