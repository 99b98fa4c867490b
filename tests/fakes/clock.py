"""A clock that stands still until it is told to move."""

from tests.builders import NOW


class FakeClock:
    """The Clock port, held by the test; setting `time` is a jump, which `monotonic` never sees."""

    def __init__(self, now: float = NOW) -> None:
        self.time = now
        self.passed = 0.0

    def now(self) -> float:
        return self.time

    def monotonic(self) -> float:
        return self.passed

    def advance(self, seconds: float) -> None:
        """Moves the time on."""
        self.time += seconds
        self.passed += seconds
