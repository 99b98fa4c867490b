"""What the engine needs from the world. Each port has two implementations and one contract test."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from kubetune.domain.events import Event
from kubetune.domain.observation import Reading
from kubetune.domain.runs import Run
from kubetune.domain.status import StudyStatus
from kubetune.domain.study import WHOLE_SEARCH, InitialTrial, StudySpec
from kubetune.domain.trial import Outcome, Point, Stage, Trial
from kubetune.domain.values import Assignment


class StorageUnreachable(Exception):  # noqa: N818 - named by what to do next: try again later
    """The database did not answer; nothing was changed, the same call may be made again."""


class ExecutorUnreachable(Exception):  # noqa: N818 - named by what to do next: try again later
    """No answer from where the runs are; whether it was done is unknown. Ask for it again."""


class ExecutorBusy(Exception):  # noqa: N818 - named by what to do next: wait
    """It cannot be done just now (a quota, a busy server), and was not. Ask for it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """What a draw brought: the new trials (fewer than asked for when the space is exhausted).

    `exhausted` is final for this phase and space: no further trial can be drawn.
    `rejected` counts this draw's rejections by constraint.
    """

    trials: tuple[Trial, ...] = ()
    exhausted: bool = False
    rejected: Mapping[str, int] = field(default_factory=dict)


class TrialStore(Protocol):
    """Every trial of one study, for ever; the only place where a trial's state lives.

    One writer. `trials` returns frozen values; what it returned before a write does not change.
    Every method raises `StorageUnreachable` when the database is away and has then changed
    nothing. All writes are idempotent.
    """

    async def trials(self, *, anew: bool = False) -> tuple[Trial, ...]:
        """All trials in order of number, with curves; cheap enough to call on every pass.

        `anew` reads what another writer may have stored, which is not cheap.
        """

    async def draw(self, count: int, phase: str = WHOLE_SEARCH) -> Drawn:
        """Draws and stores up to `count` new Running trials that break no hard constraint.

        They come from the phase's space, narrowed as it asks; what the trials of other phases have
        shown is learnt from as far as they lie within it.
        """

    async def add_initial(
        self, initial: InitialTrial, outcome: Outcome | None, phase: str = WHOLE_SEARCH
    ) -> Trial:
        """Adds an initial trial once (by name), ended at once when `outcome` is known."""

    async def add_repeat(self, of: int, stage: Stage, seed: int, parameters: Assignment) -> Trial:
        """Adds a run of an ended trial's configuration, once by these three, as Running.

        One that was cancelled is no more: another is added in its place.
        """

    async def record(self, number: int, points: Sequence[Point]) -> None:
        """Adds points to a curve; a step already there is left as it is."""

    async def started(self, number: int, attempt: int, at: float) -> None:
        """Notes when a trial first ran."""

    async def retry(self, number: int, attempt: int, reason: str, parameters: Assignment) -> None:
        """Moves a Running trial to `attempt`; a no-op when it is there or beyond, or ended.

        `reason` Disrupted and OutOfMemory are counted in the trial, any other is not.
        """

    async def tell(
        self, number: int, outcome: Outcome, started_at: float | None, ended_at: float
    ) -> bool:
        """Ends a trial; False when it had ended before (then nothing changes)."""

    async def follow(self, spec: StudySpec) -> None:
        """Goes on as a changed study; what is drawn and told from here on is as it says.

        Raises:
            SpecChanged: it changes what its trials rest on; the store goes on as before.
        """

    async def close(self) -> None:
        """Lets the database go."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchOrder:
    """All that an executor needs to start one attempt of one trial."""

    spec: StudySpec
    study_uid: str
    trial: Trial


class Executor(Protocol):
    """Runs attempts of trials, as Jobs or as processes. Knows nothing of results' meaning.

    What changes runs may raise `ExecutorUnreachable` or `ExecutorBusy`: it is asked again later,
    and no trial ever fails for it.
    """

    @property
    def capacity(self) -> int | None:
        """How many runs it can hold at once; None when it knows no limit of its own."""

    async def runs(self) -> tuple[Run, ...]:
        """Every run of this study that exists, ended ones included until removed."""

    async def launch(self, order: LaunchOrder) -> None:
        """Starts an attempt; a no-op when a run of this trial and attempt exists.

        What the machine refuses (no such command) is no exception but a run that has Ended with
        `Exit.launch_error`.
        """

    async def stop(self, number: int, attempt: int, uid: str, why: str) -> None:
        """Begins to end a run gently; returns at once. A no-op when it is gone or stopping."""

    async def remove(self, number: int, attempt: int, uid: str) -> None:
        """Forgets an ended run; a no-op when it is gone."""

    async def checkpoints(self) -> frozenset[int]:
        """The trials whose checkpoints are kept, by number; cheap enough for every pass."""

    async def drop_checkpoint(self, number: int) -> None:
        """Deletes what a trial saved; a no-op when there is nothing."""

    async def changed(self, timeout_seconds: float) -> None:
        """Returns when a run appeared or ended since the last call, or after the timeout."""

    async def close(self) -> None:
        """Ends what still runs, all of it, and lets everything go."""


class MetricSource(Protocol):
    """Live values of running trials. Bad or missing data is an empty reading, never an error."""

    @property
    def lag_seconds(self) -> float:
        """How long after a run's end its values may still arrive; 0 when nothing comes then."""

    async def read(self, runs: Sequence[Run]) -> Mapping[int, Reading]:
        """What the running trials show now, by trial number.

        Where values may arrive late, runs that have ended are asked about as well: what those
        showed last.
        """


class StatusSink(Protocol):
    """Where a study's status and events go: a resource, a terminal, a log."""

    async def publish(self, status: StudyStatus, events: Sequence[Event]) -> None:
        """Shows or writes the newest status, then announces what led to it; once a pass."""


class Clock(Protocol):
    """The time, for tests to hold still."""

    def now(self) -> float:
        """Unix seconds; they jump when somebody sets the clock."""

    def monotonic(self) -> float:
        """Seconds from some moment on that never jump: for waits inside this process."""
