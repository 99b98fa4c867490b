"""One attempt of a trial as its executor sees it: a Job or a local process group."""

from dataclasses import dataclass
from enum import StrEnum

from kubetune.domain.reasons import TrialReason


class RunState(StrEnum):
    """Pending --> Running --> Ended; Pending may end without having run."""

    PENDING = "Pending"
    RUNNING = "Running"
    ENDED = "Ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """How a run ended, as the executor saw it; what it means is decided by `outcomes`.

    `code` is the exit code (128 + signal when killed by one), None when nobody saw it.
    `message` is the termination message exactly as found, at most 4,097 bytes: one more than a
    legal one, so that a longer one is seen to be too long. The flags say what the executor knows
    beyond the code.
    """

    code: int | None
    message: bytes = b""
    out_of_memory: bool = False
    disrupted: bool = False
    timed_out: bool = False
    launch_error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One attempt. `uid` is the identity that destructive actions re-check.

    `waiting` says in words why a Pending run does not start. `stuck` is the reason its trial would
    fail with if that goes on, NONE for a wait in a queue, and `stuck_since` when it began.
    `starting`: so far nobody has said that anything is wrong.
    """

    number: int
    attempt: int
    uid: str
    state: RunState
    stopping: bool = False
    started_at: float | None = None
    ended_at: float | None = None
    exit: Exit | None = None
    waiting: str = ""
    stuck: TrialReason = TrialReason.NONE
    stuck_since: float | None = None
    starting: bool = False
