"""A clock that stands still until it is told to move."""

from tests.builders import NOW


class FakeClock:
    """The Clock port, held by the test."""

    def __init__(self, now: float = NOW) -> None:
        self.time = now

    def now(self) -> float:
        return self.time

    def advance(self, seconds: float) -> None:
        """Moves the time on."""
        self.time += seconds
