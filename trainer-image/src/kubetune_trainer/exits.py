"""How a trial's process ends: exit codes, and the exceptions that choose between them."""

from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What the exit code says to whoever launched the trial."""

    COMPLETE = 0
    CRASHED = 1
    BAD_CONFIGURATION = 64  # never retried
    OUT_OF_MEMORY = 70  # the study's onOutOfMemory rule applies
    TEMPORARY_FAILURE = 75  # retried
    STOPPED = 143  # 128 + SIGTERM


class BadConfiguration(Exception):  # noqa: N818 - named by what to do next: correct the study
    """The parameters cannot be trained with, however often it is tried. Exits 64."""


class TemporaryFailure(Exception):  # noqa: N818 - named by what to do next: try again
    """Something outside the trial failed and another attempt may succeed. Exits 75."""


class OutOfMemory(Exception):  # noqa: N818 - named by what to do next: try smaller
    """There is not enough memory for what was asked. Exits 70."""


@dataclass(frozen=True, slots=True)
class Ending:
    """What an exception means for the trial."""

    state: str
    reason: str
    message: str
    code: int


_NO_MEMORY = ("CUDA out of memory", "DefaultCPUAllocator: ", "CUBLAS_STATUS_ALLOC_FAILED")

COMPLETE = Ending("Complete", "", "", ExitCode.COMPLETE)


def classify(error: BaseException) -> Ending:
    """Reads an exception that left the trial's block as the trial's end.

    A CUDA out-of-memory is recognised by the name of its class, so that torch need not be there.
    """
    text = f"{type(error).__name__}: {error}".removesuffix(": ")
    if isinstance(error, BadConfiguration):
        return Ending("Failed", "BadConfiguration", str(error), ExitCode.BAD_CONFIGURATION)
    if isinstance(error, TemporaryFailure):
        return Ending("Failed", "Disrupted", text, ExitCode.TEMPORARY_FAILURE)
    if isinstance(error, KeyboardInterrupt):
        return Ending("Stopped", "", "interrupted from the keyboard", ExitCode.STOPPED)
    if is_out_of_memory(error):
        words = str(error) if isinstance(error, OutOfMemory) else text
        return Ending("Failed", "OutOfMemory", words, ExitCode.OUT_OF_MEMORY)
    if isinstance(error, SystemExit):
        return _own_exit(error)
    return Ending("Failed", "Crashed", text, ExitCode.CRASHED)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on a GPU or here; torch says the latter by a plain RuntimeError."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & {"MemoryError", "OutOfMemory", "OutOfMemoryError"}:
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _NO_MEMORY)


def _own_exit(error: SystemExit) -> Ending:
    """A `sys.exit` inside the block: its code stands, and 0 or nothing is a completion."""
    if error.code is None or error.code == 0:
        return COMPLETE
    code = error.code if isinstance(error.code, int) else ExitCode.CRASHED
    return Ending("Failed", "Crashed", f"exited with {error.code}", code)
