"""How long to leave something alone that did not work."""


class Backoff:
    """Waits 1, 2, 4 ... at most 30 seconds after each failure in a row.

    `now` is `Clock.monotonic`: setting the clock neither shortens nor lengthens a wait.
    """

    FIRST_SECONDS = 1.0
    LIMIT_SECONDS = 30.0

    def __init__(self) -> None:
        self.failures = 0
        self._until = 0.0

    def failed(self, now: float) -> None:
        """Notes a failure: the wait doubles."""
        wait = min(self.LIMIT_SECONDS, self.FIRST_SECONDS * 2.0 ** min(self.failures, 10))
        self.failures += 1
        self._until = now + wait

    def succeeded(self) -> None:
        """Notes a success: the next failure waits the shortest time again."""
        self.failures = 0
        self._until = 0.0

    def wait_seconds(self, now: float) -> float:
        """How long until it may be tried again; 0 when it may now."""
        return max(0.0, self._until - now)
