"""Starting runs, with patience for a machine or cluster that will not start one just now."""

from kubetune.app.backoff import Backoff
from kubetune.domain.ports import Clock, Executor, LaunchOrder, StorageUnreachable


class Launches:
    """Launches attempts; one that cannot be launched is left alone for a while.

    What an executor knows to be a trial's own fault is no exception but an ended run. An exception
    is trouble of the place it runs in, and mostly passes: only after several is it the trial's end.
    """

    ATTEMPTS = 5

    def __init__(self, executor: Executor, clock: Clock) -> None:
        self._executor = executor
        self._clock = clock
        self._trouble: dict[tuple[int, int], Backoff] = {}

    async def launch(self, order: LaunchOrder) -> str | None:
        """Launches, unless it has to wait; gives the words of an exception, None without one."""
        key = (order.trial.number, order.trial.attempt)
        try:
            await self._executor.launch(order)
        except StorageUnreachable:
            raise
        except Exception as error:  # noqa: BLE001 - one trial's launch never ends the study
            self._trouble.setdefault(key, Backoff()).failed(self._clock.monotonic())
            return f"{type(error).__name__}: {error}"[:300]
        self._trouble.pop(key, None)
        return None

    def waits(self, number: int, attempt: int) -> bool:
        """Whether an attempt is left alone for now."""
        trouble = self._trouble.get((number, attempt))
        return trouble is not None and trouble.wait_seconds(self._clock.monotonic()) > 0

    def given_up(self, number: int, attempt: int) -> bool:
        """Whether an attempt has been tried often enough."""
        trouble = self._trouble.get((number, attempt))
        return trouble is not None and trouble.failures >= self.ATTEMPTS

    def forget(self, number: int) -> None:
        """Drops what is known of a trial that has ended."""
        self._trouble = {key: value for key, value in self._trouble.items() if key[0] != number}

    def wait_seconds(self) -> float | None:
        """How long until the next attempt may be launched; None when none waits."""
        now = self._clock.monotonic()
        return min((trouble.wait_seconds(now) for trouble in self._trouble.values()), default=None)
