"""Starting runs, with patience for a machine or cluster that will not start one just now."""

from kubetune.app.backoff import Backoff
from kubetune.domain.ports import (
    Clock,
    Executor,
    ExecutorBusy,
    ExecutorUnreachable,
    LaunchOrder,
    StorageUnreachable,
)
from kubetune.domain.result import clean


class Launches:
    """Launches attempts; one that cannot be launched is left alone for a while.

    What an executor knows to be a trial's own fault is no exception but an ended run. No room for
    any run is waited out, however long it takes. Any other exception is trouble of the place that
    one runs in, and mostly passes: only after several is it the trial's end.
    """

    ATTEMPTS = 5

    def __init__(self, executor: Executor, clock: Clock) -> None:
        self._executor = executor
        self._clock = clock
        self._trouble: dict[tuple[int, int], Backoff] = {}
        self._room = Backoff()
        self._no_room = ""

    @property
    def held(self) -> str:
        """Why nothing is launched for now; empty when it may be."""
        return self._no_room if self._room.wait_seconds(self._clock.monotonic()) else ""

    @property
    def troubled(self) -> bool:
        """Whether the last launch found no room: one is tried before several are."""
        return bool(self._room.failures)

    async def launch(self, order: LaunchOrder) -> str | None:
        """Launches, unless it has to wait; gives the words of an exception, None without one.

        Raises:
            ExecutorBusy: there is no room; from here on nothing is launched for a while.
            ExecutorUnreachable, StorageUnreachable: somebody did not answer.
        """
        key = (order.trial.number, order.trial.attempt)
        try:
            await self._executor.launch(order)
        except (StorageUnreachable, ExecutorUnreachable):
            raise
        except ExecutorBusy as error:
            if not self.held:
                self._room.failed(self._clock.monotonic())
            self._no_room = clean(str(error)) or "there is no room"
            raise
        except Exception as error:  # noqa: BLE001 - one trial's launch never ends the study
            self._trouble.setdefault(key, Backoff()).failed(self._clock.monotonic())
            return f"{type(error).__name__}: {error}"[:300]
        self._room.succeeded()
        self._trouble.pop(key, None)
        return None

    def room_again(self) -> None:
        """A run has gone: perhaps there is room now."""
        self._room.succeeded()

    def waits(self, number: int, attempt: int) -> bool:
        """Whether an attempt is left alone for now."""
        trouble = self._trouble.get((number, attempt), self._room)
        return bool(self.held) or trouble.wait_seconds(self._clock.monotonic()) > 0

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
        waits = [trouble.wait_seconds(now) for trouble in self._trouble.values()]
        if self._room.failures:
            waits.append(self._room.wait_seconds(now))
        return min(waits, default=None)
