"""What a plan may ask for: a closed union of frozen values, each safe to repeat."""

from dataclasses import dataclass
from typing import TypeAlias

from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import WHOLE_SEARCH
from kubetune.domain.trial import Outcome, Point, Stage
from kubetune.domain.values import Assignment


@dataclass(frozen=True, slots=True)
class AddInitialTrial:
    """Adds the initial trial of this name, once; with known metrics it is complete at once."""

    name: str
    phase: str = WHOLE_SEARCH


@dataclass(frozen=True, slots=True)
class DrawTrials:
    """Draws up to `count` new trials of a phase; stored as Running, launched in a later pass."""

    count: int
    phase: str = WHOLE_SEARCH


@dataclass(frozen=True, slots=True)
class AddRepeat:
    """Adds a run of an ended trial's configuration with another seed, once; launched later."""

    of: int
    stage: Stage
    seed: int
    parameters: Assignment


@dataclass(frozen=True, slots=True)
class LaunchTrial:
    """Starts a run for this attempt, unless there is one."""

    number: int
    attempt: int


@dataclass(frozen=True, slots=True)
class StopRun:
    """Ends a run gently: SIGTERM, the grace period, then SIGKILL of all that belongs to it."""

    number: int
    attempt: int
    uid: str
    why: str


@dataclass(frozen=True, slots=True)
class RecordPoints:
    """Stores new points of a trial's curve, in order of steps."""

    number: int
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class TellResult:
    """Ends a trial in the database; told again, it changes nothing."""

    number: int
    outcome: Outcome
    started_at: float | None
    ended_at: float


@dataclass(frozen=True, slots=True)
class RetryTrial:
    """Moves a Running trial to its next attempt, with new parameters if any were adjusted.

    Disrupted and OutOfMemory count against the study's retries; Suspended counts against nothing.
    `started_at` is when the attempt that ended began, noted as the trial's start if it was first.
    """

    number: int
    attempt: int
    reason: TrialReason
    parameters: Assignment
    started_at: float | None = None


@dataclass(frozen=True, slots=True)
class RemoveRun:
    """Forgets an ended run whose result is stored."""

    number: int
    attempt: int
    uid: str


@dataclass(frozen=True, slots=True)
class DropCheckpoint:
    """Deletes the checkpoint of an ended trial that the study does not keep."""

    number: int


Action: TypeAlias = (
    AddInitialTrial
    | AddRepeat
    | DrawTrials
    | LaunchTrial
    | StopRun
    | RecordPoints
    | TellResult
    | RetryTrial
    | RemoveRun
    | DropCheckpoint
)
