"""The time of this machine."""

import time


class SystemClock:
    """The Clock port: Unix seconds, as the machine has them."""

    def now(self) -> float:
        """Unix seconds."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds since some moment before the start."""
        return time.monotonic()
