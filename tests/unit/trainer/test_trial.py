"""One trial, from the trainer's side, in this process."""

import json
import os
import signal
import socket
import urllib.error
import urllib.request
from dataclasses import dataclass
from math import nan

import numpy as np
import pytest

from kubetune_trainer import BadConfiguration, TemporaryFailure, Trial


@dataclass
class Config:
    rate: float
    epochs: int = 3


def in_study(study, **fields):
    return Trial.from_environment(study.environ(**fields))


def test_order_is_shown(study):
    """A trial knows its parameters, seed, stage and attempt."""
    with in_study(study, parameters={"rate": 0.5}, stage="finalist", attempt=2) as trial:
        assert trial.parameters_as(Config) == Config(0.5)
        assert (trial.seed, trial.stage, trial.attempt) == (42, "finalist", 2)
        assert trial.checkpoint_dir == study.folder / "checkpoint"


def test_complete(study):
    """A block that ends leaves a Complete result with the last values and the objective's curve."""
    with in_study(study) as trial:
        for step in trial.steps(3):
            trial.report(accuracy=step / 4, loss=1 / step)
        trial.report(test_accuracy=0.5)
    assert study.result == {
        "schema": 1,
        "trial": 7,
        "state": "Complete",
        "reason": "",
        "message": "",
        "step": 3,
        "metrics": {"accuracy": 0.75, "loss": 1 / 3, "test_accuracy": 0.5},
        "curve": [[1, 0.25], [2, 0.5], [3, 0.75]],
    }


def test_values_are_reported_as_they_are(study):
    """A NaN is not hidden: the study decides what it means."""
    with in_study(study) as trial:
        trial.report(accuracy=nan)
    assert study.result["metrics"] == {"accuracy": "NaN"}
    assert study.result["curve"] == [[1, "NaN"]]


@pytest.mark.parametrize(
    ("error", "reason", "code"),
    [
        (ValueError("no"), "Crashed", 1),
        (MemoryError("8 GiB"), "OutOfMemory", 70),
        (TemporaryFailure("no answer"), "Disrupted", 75),
        (BadConfiguration("dim: 3"), "BadConfiguration", 64),
    ],
)
def test_exception(study, error, reason, code, capsys):
    """An exception ends the process with its code, and the result keeps what was reported."""
    trial = in_study(study)
    trial.report(accuracy=0.5)
    with pytest.raises(SystemExit) as ending, trial:
        raise error
    assert ending.value.code == code
    assert (study.result["state"], study.result["reason"]) == ("Failed", reason)
    assert study.result["metrics"] == {"accuracy": 0.5}
    assert str(error) in study.result["message"]
    assert str(error) in capsys.readouterr().err


def test_bad_parameters(study, capsys):
    """Every missing or mistyped parameter is in the message, and the exit code is 64."""
    with pytest.raises(SystemExit) as ending, in_study(study, parameters={"epochs": "x"}) as trial:
        trial.parameters_as(Config)
    assert ending.value.code == 64
    assert study.result["reason"] == "BadConfiguration"
    assert study.result["message"] == (
        "rate: missing, write a number; epochs: 'x' is wrong, write a whole number"
    )
    assert study.result["message"] in capsys.readouterr().err


def test_bad_order(study, capsys):
    """An order that cannot be read exits 64 with a result that says why."""
    with pytest.raises(SystemExit) as ending:
        Trial.from_environment(study.environ(schema=9))
    assert ending.value.code == 64
    assert study.result["reason"] == "BadConfiguration"
    assert "KUBETUNE_TRIAL.schema: 9" in capsys.readouterr().err


def test_unread_parameters_are_noted(study, capsys):
    """A value that no field takes is named: it may be a slip of the pen."""
    with in_study(study, parameters={"rate": 1, "epoch": 5}) as trial:
        trial.parameters_as(Config)
    assert "not read by this trainer: epoch\n" in capsys.readouterr().err


def test_steps_count_from_one_and_move_progress(study):
    """Steps are 1 to n; progress is what is done, and a report counts its own step as done."""
    seen = []
    with in_study(study) as trial:
        for step in trial.steps(4):
            before = trial._live.progress
            trial.report(accuracy=0.5)
            seen.append((step, before, trial._live.progress))
    assert seen == [(1, 0, 0.25), (2, 0.25, 0.5), (3, 0.5, 0.75), (4, 0.75, 1)]


def test_no_steps_to_do(study):
    """Fewer than one step is a bad configuration."""
    with pytest.raises(SystemExit) as ending, in_study(study) as trial:
        list(trial.steps(0))
    assert ending.value.code == 64


def test_reports_outside_of_steps(study):
    """Without `steps` each report is the next step, or the one that it names."""
    with in_study(study) as trial:
        trial.report(accuracy=0.1)
        trial.report(accuracy=0.2)
        trial.report(step=10.5, accuracy=0.3)
    assert study.result["curve"] == [[1, 0.1], [2, 0.2], [10.5, 0.3]]


@pytest.mark.parametrize(
    ("step", "metrics", "message"),
    [
        (1, {"loss": 1.0}, "step: 1 "),
        (nan, {"loss": 1.0}, "step: nan"),
        (-1, {"loss": 1.0}, "step: -1"),
        (None, {}, "needs a metric"),
        (None, {"loss": "0.5"}, "loss: '0.5' is no number"),
        (None, {"loss": None}, "loss: None is no number"),
        (None, {"eval loss": 0.5}, "'eval loss'"),
        (None, {"x" * 64: 0.5}, "at most 63"),
    ],
)
def test_wrong_report(step, metrics, message):
    """A report that the study could not take is the program's fault, and named."""
    with Trial.from_environment({}) as trial:
        trial.report(step=2, loss=1)
        with pytest.raises((ValueError, TypeError)) as refused:
            trial.report(step=step, **metrics)
    assert message in str(refused.value)


@pytest.mark.parametrize("ratio", [-0.1, 1.1, nan])
def test_wrong_progress(ratio):
    """Progress outside of 0 to 1 is refused."""
    with Trial.from_environment({}) as trial, pytest.raises(ValueError, match="progress"):
        trial.progress(ratio)


def test_resume(study):
    """The next attempt goes on after the checkpoint's step, with its files, metrics and curve."""
    with in_study(study) as trial:
        for step in trial.steps(2):
            trial.report(accuracy=step / 8)
            trial.save(lambda folder: (folder / "weights").write_text("w2") and None)
    with in_study(study, attempt=2, resume=True) as trial:
        assert trial.resumed_from is not None
        assert (trial.resumed_from / "weights").read_text() == "w2"
        for step in trial.steps(4):
            trial.report(accuracy=step / 8)
    assert study.result["curve"] == [[1, 0.125], [2, 0.25], [3, 0.375], [4, 0.5]]


def test_resume_of_a_finished_trial(study):
    """A trial killed after its last checkpoint has no step left and its result is the same."""
    with in_study(study) as trial:
        for step in trial.steps(2):
            trial.report(accuracy=step / 8)
            trial.save(lambda folder: None)
    first = study.result
    with in_study(study, attempt=2, resume=True) as trial:
        assert list(trial.steps(2)) == []
    assert study.result == first


def test_no_resume(study):
    """What another configuration left in the folder is not gone on from."""
    with in_study(study) as trial:
        for _ in trial.steps(2):
            trial.save(lambda folder: None)
    with in_study(study, attempt=2, resume=False) as trial:
        assert trial.resumed_from is None
        assert list(trial.steps(2)) == [1, 2]


def test_save_needs_a_step(study):
    """A checkpoint without a step could not be gone on from."""
    with in_study(study) as trial, pytest.raises(RuntimeError, match="belongs into the loop"):
        trial.save(lambda folder: None)


def test_save_at_a_step(study):
    """Who counts steps without `steps` says which one a checkpoint is of."""
    with in_study(study) as trial:
        trial.report(step=5, accuracy=0.5)
        trial.save(lambda folder: None, step=5)
    with in_study(study, attempt=2, resume=True) as trial:
        assert (trial.done, trial.resumed_from.name) == (5, "step-000000005")


def test_save_without_a_folder():
    """A study that keeps no checkpoints makes `save` do nothing."""
    with Trial.from_environment({}) as trial:
        for _ in trial.steps(1):
            trial.save(lambda folder: pytest.fail("nothing to fill"))


def test_live_values(study):
    """While the trial runs its port shows what it reported; afterwards nothing answers."""
    with Trial.from_environment(study.environ() | {"KUBETUNE_METRICS_PORT": "0"}) as trial:
        for _ in trial.steps(4):
            trial.report(accuracy=0.5)
            break
        url = f"http://127.0.0.1:{trial._exposition.port}/metrics"
        with urllib.request.urlopen(url, timeout=5) as answer:
            lines = answer.read().decode().splitlines()
    assert 'kubetune_trial_metric{name="accuracy"} 0.5' in lines
    assert "kubetune_trial_step 1.0" in lines
    assert "kubetune_trial_progress_ratio 0.25" in lines
    with pytest.raises(urllib.error.URLError, match="refused"):
        urllib.request.urlopen(url, timeout=5)


def test_port_taken(study, capsys):
    """A trial whose port is taken runs without live values, says so, and has its result."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with Trial.from_environment(study.environ() | {"KUBETUNE_METRICS_PORT": port}) as trial:
            trial.report(accuracy=0.5)
    assert f"no live values: port {port}" in capsys.readouterr().err
    assert study.result["state"] == "Complete"


def test_outside_any_study(tmp_path, capsys):
    """A plain program prints its reports and writes no result."""
    log = tmp_path / "termination-log"
    with Trial.from_environment({"KUBETUNE_TERMINATION_LOG": str(log)}) as trial:
        trial.override({"rate": 0.5})
        assert trial.parameters_as(Config).rate == 0.5
        for _ in trial.steps(2):
            trial.report(loss=0.25, accuracy=1)
    assert (
        capsys.readouterr().out == "step 1  loss 0.25  accuracy 1\nstep 2  loss 0.25  accuracy 1\n"
    )
    assert not log.exists()


def test_exceptions_pass_outside_any_study():
    """A plain program's exceptions are Python's."""
    with pytest.raises(ValueError, match="no"), Trial.from_environment({}):
        raise ValueError("no")


def test_no_override_in_a_study(study):
    """A study's record would not be true if its trials ran with other values."""
    with pytest.raises(SystemExit) as ending, in_study(study) as trial:
        trial.override({"rate": 1})
    assert ending.value.code == 64
    assert "spec.fixed" in study.result["message"]


def test_result_that_cannot_be_written(study, capsys):
    """A result that finds no folder is told on standard error, and the exit code stands."""
    environ = study.environ() | {"KUBETUNE_TERMINATION_LOG": str(study.folder / "no" / "log")}
    with Trial.from_environment(environ) as trial:
        trial.report(accuracy=1)
    assert "the result cannot be written" in capsys.readouterr().err


def test_record_is_plain_json(study):
    """Steps and values of other number types are kept as plain numbers."""
    with in_study(study) as trial:
        trial.report(step=np.int64(3), accuracy=np.float32(0.5))
    assert json.loads(study.result_file.read_text())["curve"] == [[3.0, 0.5]]


def test_a_signal_amid_the_agreement_is_not_lost(study):
    """It comes too late for this step's agreement, so it counts in the next one."""
    steps, asked = [], []

    def agree(told):
        asked.append(told)
        if len(asked) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return told

    def train():
        with in_study(study) as trial:
            trial.agree_by(agree)
            steps.extend(trial.steps(9))

    with pytest.raises(SystemExit) as ending:
        train()
    assert ending.value.code == 143
    assert (steps, asked) == ([1, 2], [False, False, True])
