"""A trial over several devices: one process for each, started by torchrun, and one end for all."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from types import FrameType

from kubetune_trainer import contract
from kubetune_trainer.exits import ExitCode

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
    if contract.RANK in os.environ or find_spec("torch") is None:
        return 1
    asked = os.environ.get(PROCESSES)
    if asked and asked.isdecimal():
        return max(1, int(asked))
    import torch  # noqa: PLC0415 - only where it is there; the recipe needs it next

    return max(1, torch.cuda.device_count())


def launch(count: int, arguments: Sequence[str]) -> int:
    """Runs `kubetune-trainer` with these arguments in so many processes; the exit code of all.

    SIGTERM is passed on. The result is that of the process that failed first in rank, or the
    first process's: it alone reports.
    """
    with tempfile.TemporaryDirectory() as folder:
        results = Path(folder) / "result.json"
        command = (
            *(sys.executable, "-m", "torch.distributed.run", "--standalone"),
            *(f"--nproc-per-node={count}", "--max-restarts=0", "-m", "kubetune_trainer"),
            *arguments,
        )
        environment = {
            **os.environ,
            contract.TERMINATION_LOG: str(results),
            "TORCH_ELASTIC_SHUTDOWN_TIMEOUT": _PATIENCE_SECONDS,
            "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1"),
        }
        child = subprocess.Popen(command, env=environment)  # noqa: S603 - ourselves

        def pass_on(number: int, _: FrameType | None) -> None:
            child.send_signal(number)

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, pass_on)
        code = child.wait()
        return _conclude(results, count, code)


def _conclude(results: Path, count: int, code: int) -> int:
    found = [_read(contract.of_rank(results, rank)) for rank in range(count)]
    failed = [result for result in found if result and result.get("state") == "Failed"]
    chosen = failed[0] if failed else found[0]
    if chosen is None:
        return code or ExitCode.CRASHED
    if contract.TRIAL in os.environ:
        target = contract.result_file(os.environ)
        try:
            target.write_text(json.dumps(chosen), encoding="utf-8")
        except OSError as error:
            sys.stderr.write(f"kubetune-trainer: the result cannot be written: {error}\n")
    if chosen["state"] == "Complete":
        return ExitCode.COMPLETE
    if chosen["state"] == "Stopped":
        return ExitCode.STOPPED
    return _CODES.get(str(chosen.get("reason")), ExitCode.CRASHED)


def _read(path: Path) -> dict[str, object] | None:
    try:
        found: dict[str, object] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found
