"""Several processes make one trial: as one process would, with one end and one result."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from kubetune_trainer import launching
from kubetune_trainer.contract import Value
from tests.torch.recorded import Recorded, run

pytestmark = pytest.mark.timeout(600)

STEPS = 50
TOLD_SECONDS = 120
SEVERAL = str(Path(__file__).parent / "programs" / "several.py")
LAUNCH = (
    "import sys; from kubetune_trainer.launching import launch; sys.exit(launch(2, sys.argv[1:]))"
)

EARLY = """
import os, signal
from kubetune_trainer import launching

begin = launching.subprocess.Popen

def early(*words, **options):
    os.kill(os.getpid(), signal.SIGTERM)
    return begin(*words, **options)

launching.subprocess.Popen = early
raise SystemExit(launching.launch(2, [{!r}]))
"""


class Launched:
    """A trial of two processes; `result` is there when it has ended.

    The pipe to it is short and read byte by byte, so that it cannot run far ahead of who reads
    what it says.
    """

    def __init__(
        self, folder: Path, words: Sequence[str], parameters: Mapping[str, Value], objective: str
    ) -> None:
        self.folder = folder
        order = {
            "schema": 1,
            "trial": 7,
            "seed": 1,
            "objectives": [objective],
            "resume": True,
            "parameters": dict(parameters),
        }
        with (folder / "errors").open("w") as errors:
            self.process = subprocess.Popen(
                [sys.executable, *words],
                env={
                    **os.environ,
                    "KUBETUNE_TRIAL": json.dumps(order),
                    "KUBETUNE_CHECKPOINT_DIR": str(folder / "checkpoint"),
                    "KUBETUNE_TERMINATION_LOG": str(folder / "result.json"),
                    launching.PROCESSES: "2",
                },
                stdout=subprocess.PIPE,
                stderr=errors,
                bufsize=0,
                pipesize=4096,
            )
        self.lines: list[str] = []

    def hear(self, text: str) -> None:
        """Reads on until a line begins with this."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line.decode())
            if self.lines[-1].startswith(text):
                return
        raise AssertionError(self.errors)

    def tell(self, count: int = 2) -> None:
        """Tells it to stop, and reads on only when all processes have been told.

        Until then the one that reports waits for its reader, however fast it is.
        """
        self.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + TOLD_SECONDS
        while self.errors.count("closing signal SIGTERM") < count:
            assert time.monotonic() < deadline, self.errors
            time.sleep(0.02)

    def end(self) -> int:
        """The exit code, when all has been said."""
        with self.process:
            assert self.process.stdout
            self.lines += self.process.stdout.read().decode().splitlines()
        return self.process.returncode

    @property
    def errors(self) -> str:
        """What the processes had to complain of."""
        return (self.folder / "errors").read_text()

    @property
    def result(self) -> dict[str, Any]:
        """The trial's one result."""
        assert sorted(path.name for path in self.folder.glob("*result*")) == ["result.json"]
        return dict(json.loads((self.folder / "result.json").read_text()))

    def values(self, name: str) -> dict[int, float]:
        """By step, what the processes have said of a metric; each step once."""
        found: dict[int, float] = {}
        for line in self.lines:
            words = line.split()
            if words[:1] == ["step"] and name in words:
                assert int(words[1]) not in found
                found[int(words[1])] = float(words[words.index(name) + 1])
        return found


def several(folder: Path, **parameters: Value) -> Launched:
    """Two processes that add up numbers."""
    return Launched(folder, ["-c", LAUNCH, SEVERAL], parameters, "loss")


def test_two_processes_train_as_one_does(tmp_path: Path, tiny_lm: Path, definitions: Path) -> None:
    """Two have the losses of one, stop after the same step, and one goes on with its losses."""
    parameters: dict[str, Value] = {
        "model": str(tiny_lm),
        "train_data": str(definitions / "train.jsonl"),
        "eval_data": str(definitions / "eval.jsonl"),
        "eval_samples": 8,
        "method": "full",
        "learning_rate": 3e-3,
        "batch_size": 4,
        "max_steps": STEPS,
        "log_every": 1,
        "evaluate_every": STEPS,
    }
    words = ["-m", "kubetune_trainer", "causal-lm"]
    two = Launched(tmp_path, words, parameters, "eval_loss")
    two.hear("step 2 ")
    two.tell()
    assert two.end() == 143, two.errors
    assert two.result["state"] == "Stopped"
    last = int(two.result["step"])
    (checkpoint,) = (tmp_path / "checkpoint").glob("step-*")
    assert checkpoint.name == f"step-{last:09d}"

    whole = run("causal-lm", Recorded(tmp_path / "alone", parameters)).values("train_loss")
    assert last < len(whole) == STEPS
    assert list(two.values("train_loss").values()) == pytest.approx(whole[:last], rel=1e-4)

    rest = run("causal-lm", Recorded(tmp_path, parameters))
    assert rest.result["state"] == "Complete"
    assert rest.values("train_loss") == pytest.approx(whole[last:], rel=1e-4)


def test_one_reports_and_there_is_one_result(tmp_path: Path) -> None:
    """Each step is said once, with what all have; the result is that of the first process."""
    trial = several(tmp_path, steps=4)
    assert trial.end() == 0, trial.errors
    assert trial.values("loss") == {1: 2.0, 2: 4.0, 3: 6.0, 4: 8.0}
    assert trial.result["trial"] == 7
    assert trial.result["state"] == "Complete"
    assert trial.result["curve"] == [[1, 2.0], [2, 4.0], [3, 6.0], [4, 8.0]]


@pytest.mark.parametrize(
    ("fault", "code", "reason", "words"),
    [
        ("memory", 70, "OutOfMemory", ""),
        ("bug", 1, "Crashed", "IndexError: a bug of the second process"),
        ("killed", 1, "Crashed", "without a word ended process 1 of 2"),
    ],
)
def test_what_ends_one_ends_all(
    tmp_path: Path, fault: str, code: int, reason: str, words: str
) -> None:
    """The trial ends with the reason and code of the process that was first to fail."""
    trial = several(tmp_path, steps=1000, fault=fault)
    assert trial.end() == code, trial.errors
    assert (trial.result["state"], trial.result["reason"]) == ("Failed", reason)
    assert words in trial.result["message"]


def test_a_bad_configuration_is_never_tried_again(tmp_path: Path) -> None:
    """What no process can train with exits 64 and says why."""
    trial = several(tmp_path, steps=1.5)
    assert trial.end() == 64, trial.errors
    assert trial.result["reason"] == "BadConfiguration"
    assert "steps: 1.5 is wrong" in trial.result["message"]


def test_a_stop_before_the_first_process(tmp_path: Path) -> None:
    """SIGTERM while nothing runs yet: a result that says stopped, exit code 143."""
    program = EARLY.format(SEVERAL)
    trial = Launched(tmp_path, ["-c", program], {"steps": 5}, "loss")
    assert trial.end() == 143, trial.errors
    assert trial.result == {
        "schema": 1,
        "trial": 7,
        "state": "Stopped",
        "reason": "",
        "message": "stopped before it began",
        "step": 0,
        "metrics": {},
        "curve": [],
    }


def test_outside_a_study_the_end_is_torchrun_s(tmp_path: Path) -> None:
    """By hand there is no result to write: what torchrun exits with is the answer."""
    environment = {key: value for key, value in os.environ.items() if "KUBETUNE" not in key}
    fine = tmp_path / "fine.py"
    fine.write_text("")
    words = [sys.executable, "-c", LAUNCH, str(fine)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
