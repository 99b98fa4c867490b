"""How a run ended, from its exit code, what the executor knows, and what the trial said."""

from enum import Enum, auto

from kubetune.domain.reasons import TrialReason
from kubetune.domain.result import Garbage, ResultState, TrialResult
from kubetune.domain.runs import Exit, Run

EXIT_BAD_CONFIGURATION = 64
EXIT_OUT_OF_MEMORY = 70
EXIT_TEMPORARY = 75

KILLED = frozenset({None, 129, 130, 137, 143})
"""Nobody saw the code, or a signal from outside: SIGHUP, SIGINT, SIGKILL, SIGTERM."""


class Cause(Enum):
    """Why a run ended."""

    LAUNCH_FAILED = auto()
    TIMED_OUT = auto()
    OUT_OF_MEMORY = auto()
    BAD_CONFIGURATION = auto()
    DISRUPTED = auto()
    REPORTED = auto()  # the trial's own result says how
    SILENT = auto()  # exit code 0 and no result: the stored curve says how
    GARBAGE = auto()
    CRASHED = auto()


def classify(run: Run, said: TrialResult | Garbage | None) -> Cause:
    """The first of these rules that fits.

    A result that says Complete is the last thing a trial writes: it counts even when the process
    was killed right after it or nobody saw the code, not when it was out of time or ended with an
    error code of its own. Text that breaks the contract is held against a trial only when it
    claims success (code 0): next to an error code it is a log's last words, and a process killed
    while it writes leaves half a message.
    """
    end = run.exit or Exit(code=None)
    state = said.state if isinstance(said, TrialResult) else None
    interrupted = end.disrupted or run.stopping
    rules = (
        (bool(end.launch_error), Cause.LAUNCH_FAILED),
        (end.timed_out, Cause.TIMED_OUT),
        (decided(end, said), Cause.REPORTED),
        (_out_of_memory(end, said), Cause.OUT_OF_MEMORY),
        (end.code == EXIT_BAD_CONFIGURATION, Cause.BAD_CONFIGURATION),
        (end.code == EXIT_TEMPORARY or interrupted, Cause.DISRUPTED),
        (state is ResultState.STOPPED, Cause.DISRUPTED),
        (end.code in KILLED, Cause.REPORTED if state else Cause.DISRUPTED),
        (end.code != 0, Cause.CRASHED),
        (isinstance(said, Garbage), Cause.GARBAGE),
        (said is None, Cause.SILENT),
    )
    return next((cause for fits, cause in rules if fits), Cause.REPORTED)


def decided(end: Exit, said: TrialResult | Garbage | None) -> bool:
    """Whether the trial has said how it went, and nothing but a signal came after that."""
    if not isinstance(said, TrialResult) or end.code not in {0, *KILLED}:
        return False
    return said.state in {ResultState.COMPLETE, ResultState.PRUNED}


def _out_of_memory(end: Exit, said: TrialResult | Garbage | None) -> bool:
    caught = (
        isinstance(said, TrialResult)
        and said.state is ResultState.FAILED
        and said.reason == TrialReason.OUT_OF_MEMORY
    )
    return end.out_of_memory or end.code == EXIT_OUT_OF_MEMORY or caught
