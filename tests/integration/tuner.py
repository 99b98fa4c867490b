"""A tuner as a person starts it: `kubetune` in a process of its own."""

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kubetune.adapters.local.processes import send
from kubetune.adapters.optuna.history import read_trials
from kubetune.domain.trial import Trial

WAIT_SECONDS = 60
"""A test that waits longer than this has found a hang."""

_PROGRAM = Path(__file__).parents[1] / "programs" / "steady.py"


class Workplace:
    """A folder with one manifest, whose trials keep a ledger, and the commands over it."""

    def __init__(self, folder: Path) -> None:
        self.manifest = folder / "study.yaml"
        self.run_folder = folder / "out"
        self._ledger = folder / "ledger"

    def write(self, *, seconds: float = 0.0, command: list[str] | None = None, **spec: Any) -> None:
        """Writes the manifest; JSON is YAML. `command` replaces the program with the ledger."""
        steady = [sys.executable, "-I", str(_PROGRAM), str(self._ledger), str(seconds)]
        trainer = {"name": "trainer", "command": command or steady}
        default: dict[str, Any] = {
            "objectives": [{"metric": "score", "direction": "Maximize"}],
            "parameters": [{"name": "x", "type": "Double", "min": 0, "max": 1}],
            "sampler": {"algorithm": "Random", "seed": 1},
            "trials": {"max": 4, "parallelism": 2},
            "trialTemplate": {"spec": {"containers": [trainer]}},
        }
        study = {
            "apiVersion": "kubetune.io/v1alpha1",
            "kind": "TuningStudy",
            "metadata": {"name": "tiny"},
            "spec": {**default, **spec},
        }
        self.manifest.write_text(json.dumps(study, indent=1))

    def run(self, *options: str) -> "subprocess.CompletedProcess[str]":
        """Runs the study until the command ends by itself."""
        return command(*self._run(*options))

    @contextmanager
    def running(self, *options: str) -> Iterator["Tuner"]:
        """A run that goes on beside the test, and is dead in the end; its trials may live on."""
        words = _words(*self._run(*options))
        with subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            try:
                yield Tuner(process)
            finally:
                if process.poll() is None:
                    process.kill()

    def _run(self, *options: str) -> tuple[str, ...]:
        """The command's words; without plots, which cost seconds each time."""
        return ("run", str(self.manifest), "-o", str(self.run_folder), "--no-plots", *options)

    def trials(self) -> tuple[Trial, ...]:
        """Every trial in the database; none while there is no study in it yet."""
        database = self.run_folder / "trials.sqlite3"
        if not database.exists():
            return ()
        try:
            return read_trials(f"sqlite:///{database}", "tiny")
        except KeyError:
            return ()

    def ledger(self, word: str) -> Counter[int]:
        """How often each trial has noted a word."""
        if not self._ledger.exists():
            return Counter()
        lines = (line.split() for line in self._ledger.read_text().splitlines())
        return Counter(int(number) for what, number, _ in lines if what == word)

    def until(self, holds: Callable[[], bool]) -> None:
        """Waits until something holds."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not holds():
            assert time.monotonic() < deadline, "it never came to this"
            time.sleep(0.02)

    def kill_trials(self) -> None:
        """Kills every process of every trial, as the machine's own killer would."""
        for process in self.processes():
            send(process, signal.SIGKILL)

    def processes(self) -> set[int]:
        """Every live process of every trial, found by its environment; no journal is believed."""
        mark = f"KUBETUNE_TERMINATION_LOG={self.run_folder.resolve()}/".encode()
        found = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal())
        return {pid for pid in found if mark in _environment(pid)}


class Tuner:
    """A running `kubetune run`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def ended(self) -> bool:
        """Whether it has ended."""
        return self._process.poll() is not None

    def send(self, number: signal.Signals) -> None:
        """Sends it a signal."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """Kills it, and nothing else."""
        self._process.kill()
        self._process.wait(WAIT_SECONDS)

    def hear(self, text: str) -> str:
        """Reads on until a line that holds this text."""
        assert self._process.stdout
        for line in self._process.stdout:
            if text in line:
                return line
        raise AssertionError(f"it never said {text!r}")

    def end(self) -> tuple[int, str]:
        """Its exit code and what it still had to say."""
        said, _ = self._process.communicate(timeout=WAIT_SECONDS)
        return self._process.returncode, said


def command(*words: str) -> "subprocess.CompletedProcess[str]":
    """Runs one `kubetune` command to its end."""
    return subprocess.run(
        _words(*words),
        capture_output=True,
        text=True,
        timeout=WAIT_SECONDS,
        check=False,
    )


def _words(*words: str) -> list[str]:
    return [sys.executable, "-m", "kubetune", *words]


def _environment(pid: int) -> bytes:
    """Empty for a process that is gone or a zombie."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""
