"""A trial over several devices: one process for each, started by torchrun, and one end for all."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

from kubetune_trainer import contract, result
from kubetune_trainer.exits import BadConfiguration, ExitCode
from kubetune_trainer.notes import note
from kubetune_trainer.result import Result

PROCESSES = "KUBETUNE_TRAINER_PROCESSES"
"""Set to a number: so many processes, whatever devices there are; 1 for a single one."""

_PATIENCE_SECONDS = "86400"
"""torchrun would kill what still saves after 30 s; how long it may take is the cluster's to say."""

_CODES = {
    "OutOfMemory": ExitCode.OUT_OF_MEMORY,
    "BadConfiguration": ExitCode.BAD_CONFIGURATION,
    "Disrupted": ExitCode.TEMPORARY_FAILURE,
}


def processes() -> int:
    """How many processes this trial is to have; 1 within one of them, and without torch."""
    started = any(name in os.environ for name in contract.RANKS)
    if started or find_spec("torch") is None:
        return 1
    asked = os.environ.get(PROCESSES)
    if asked and asked.isdecimal():
        return max(1, int(asked))
    try:
        import torch  # noqa: PLC0415 - only where it is there; the recipe needs it next
    except (ImportError, OSError):
        return 1  # the recipe meets it too, where it is written into the result
    return max(1, torch.cuda.device_count())


def launch(count: int, program: Sequence[str]) -> int:
    """Runs a program, as Python takes it, in so many processes; the exit code of all of them.

    SIGTERM and SIGINT are passed on, once. The result is that of the process that failed first in
    time, for the others fail by it; else the first process's, which alone reports.
    """
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "result.json"
        torchrun = _Torchrun(count, program, results)
        code = torchrun.wait()
        if contract.TRIAL not in os.environ:
            return code if code >= 0 else 128 - code
        found = [_read(contract.of_rank(results, rank)) for rank in range(count)]
        return _conclude(found, code, told=torchrun.told_to_stop)


class _Torchrun:
    """torchrun with its processes, and the signals that it gets from us alone."""

    def __init__(self, count: int, program: Sequence[str], results: Path) -> None:
        self.told_to_stop = False
        self._child: subprocess.Popen[bytes] | None = None
        self._signal: int | None = None
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._pass_on)
        command = (
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *(f"--nproc-per-node={count}", "--max-restarts=0"),
            *program,
        )
        environment = {
            **os.environ,
            contract.EACH: "1",
            contract.TERMINATION_LOG: str(results),
            "TORCH_ELASTIC_SHUTDOWN_TIMEOUT": _PATIENCE_SECONDS,
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        }
        self._child = subprocess.Popen(  # noqa: S603 - ourselves
            command, env=environment, start_new_session=True
        )
        if self._signal is not None:
            self._child.send_signal(self._signal)

    def wait(self) -> int:
        """Until all have ended; torchrun's own exit code, negative for a signal."""
        assert self._child is not None
        return self._child.wait()

    def _pass_on(self, number: int, _: FrameType | None) -> None:
        """Once: a second signal would break off torchrun's waiting for its processes."""
        if self.told_to_stop:
            return
        self.told_to_stop = True
        self._signal = number
        if self._child is not None:
            self._child.send_signal(number)


@dataclass(frozen=True, slots=True)
class _Found:
    """One process's result as it was written, and when."""

    data: bytes
    state: str
    reason: str
    written_ns: int


def _conclude(found: Sequence[_Found | None], code: int, *, told: bool) -> int:
    """Writes the trial's result; its exit code."""
    chosen = _choose(found, told=told)
    silent = [str(rank) for rank, each in enumerate(found) if each is None]
    words = f"without a word ended process {', '.join(silent)} of {len(found)}"
    if chosen is None:
        _place(result.encode(_own(words if silent else f"torchrun exited with {code}", told=told)))
        return ExitCode.STOPPED if told else ExitCode.CRASHED
    _place(_adding(chosen.data, words) if silent and chosen.reason == "Crashed" else chosen.data)
    if chosen.state == "Complete":
        return ExitCode.COMPLETE
    if chosen.state == "Stopped":
        return ExitCode.STOPPED
    return _CODES.get(chosen.reason, ExitCode.CRASHED)


def _choose(found: Sequence[_Found | None], *, told: bool) -> _Found | None:
    """The result that is the trial's; None when a process was killed and none says of what."""
    if failed := [each for each in found if each and each.state == "Failed"]:
        return min(failed, key=lambda each: each.written_ns)
    first = found[0]
    whole = told or None not in found or (first is not None and first.state == "Complete")
    return first if whole else None


def _own(message: str, *, told: bool) -> Result:
    """A result for processes that wrote none."""
    try:
        number: int | None = contract.read_order(os.environ[contract.TRIAL]).trial
    except BadConfiguration:
        number = None
    if told:
        return Result(trial=number, state="Stopped", message="stopped before it began")
    return Result(trial=number, state="Failed", reason="Crashed", message=message)


def _adding(data: bytes, words: str) -> bytes:
    """The result with a remark, where there is room for it."""
    said = json.loads(data)
    said["message"] = f"{said.get('message', '')}; {words}"
    longer = json.dumps(said, ensure_ascii=False).encode()
    return longer if len(longer) <= result.MAX_BYTES else data


def _place(data: bytes) -> None:
    target = contract.result_file(os.environ)
    if target is None:
        return
    try:
        result.place(data, target)
    except OSError as error:
        note(f"the result cannot be written: {error}")


def _read(path: Path) -> _Found | None:
    try:
        data = path.read_bytes()
        said = json.loads(data)
        return _Found(data, str(said["state"]), str(said["reason"]), path.stat().st_mtime_ns)
    except (OSError, ValueError, KeyError, TypeError):
        return None
