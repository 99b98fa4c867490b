"""Signals, exit codes and results of real processes."""

import os
import signal
import subprocess
import sys
import textwrap

import pytest

HEAD = """
import os, signal, sys, time
from kubetune_trainer import Trial
"""


def start(study, program, **fields):
    return subprocess.Popen(
        [sys.executable, "-c", HEAD + textwrap.dedent(program)],
        env={"PATH": os.environ["PATH"]} | study.environ(**fields),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


LOOP = """
with Trial.from_environment() as trial:
    for step in trial.steps(100000):
        trial.report(accuracy=step / 100000)
        trial.save(lambda folder: None)
        time.sleep(0.005)
    print("after the loop", flush=True)
"""


def test_stop(study):
    """SIGTERM in the middle of a loop ends it: result Stopped, exit 143, the curve is kept."""
    process = start(study, LOOP)
    assert process.stdout.readline().startswith("step 1 ")
    process.send_signal(signal.SIGTERM)
    code, out, _ = finish(process)
    assert code == 143
    assert out.endswith("after the loop\n")
    assert study.result["state"] == "Stopped"
    assert study.result["curve"][-1][0] == study.result["step"] >= 1


def test_stopped_trial_goes_on(study):
    """After a stop the next attempt begins at the step after the last one that was done."""
    process = start(study, LOOP)
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    finish(process)
    last = study.result["step"]
    again = start(
        study,
        f"""
        with Trial.from_environment() as trial:
            for step in trial.steps({last} + 2):
                trial.report(accuracy=step)
        """,
        attempt=2,
        resume=True,
    )
    code, out, _ = finish(again)
    assert code == 0
    assert [line.split()[1] for line in out.splitlines()] == [str(last + 1), str(last + 2)]


def test_second_stop_changes_nothing(study):
    """SIGTERM while the checkpoint is being saved does not cut the saving short."""
    process = start(
        study,
        """
        def slow(folder):
            print("saving", flush=True)
            while not os.path.exists(os.environ["KUBETUNE_TERMINATION_LOG"] + ".go"):
                time.sleep(0.005)
            (folder / "weights").write_text("all of them")

        with Trial.from_environment() as trial:
            for step in trial.steps(10):
                os.kill(os.getpid(), signal.SIGTERM)
                trial.save(slow)
        """,
    )
    assert process.stdout.readline() == "saving\n"
    process.send_signal(signal.SIGTERM)
    (study.folder / "result.json.go").touch()
    code, _, err = finish(process)
    assert (code, err) == (143, "")
    assert study.result["state"] == "Stopped"
    assert (study.folder / "checkpoint" / "step-000000001" / "weights").exists()


def test_stop_before_the_first_step(study):
    """SIGTERM while the data load: no step is begun."""
    process = start(
        study,
        """
        with Trial.from_environment() as trial:
            os.kill(os.getpid(), signal.SIGTERM)
            assert trial.should_stop
            for step in trial.steps(10):
                trial.report(accuracy=1)
        """,
    )
    code, out, _ = finish(process)
    assert (code, out) == (143, "")
    assert study.result["state"] == "Stopped"


def test_stop_after_the_last_step(study):
    """A trial whose steps are all done when SIGTERM comes is complete."""
    process = start(
        study,
        """
        with Trial.from_environment() as trial:
            for step in trial.steps(2):
                trial.report(accuracy=1)
            os.kill(os.getpid(), signal.SIGTERM)
        """,
    )
    code, _, _ = finish(process)
    assert code == 0
    assert study.result["state"] == "Complete"


def test_what_breaks_after_a_stop_is_a_stop(study):
    """A worker killed by the same SIGTERM does not make the trial a crashed one."""
    process = start(
        study,
        """
        with Trial.from_environment() as trial:
            for step in trial.steps(2):
                os.kill(os.getpid(), signal.SIGTERM)
                raise RuntimeError("a worker is gone")
        """,
    )
    code, _, err = finish(process)
    assert code == 143
    assert study.result["state"] == "Stopped"
    assert "a worker is gone" in err


@pytest.mark.parametrize("ending", ["sys.exit()", "sys.exit(3)", "raise SystemExit('told to')"])
def test_an_exit_after_a_stop_is_a_stop(study, ending):
    """A framework that leaves its loop by an exit when it sees SIGTERM does not complete."""
    process = start(
        study,
        f"""
        with Trial.from_environment() as trial:
            os.kill(os.getpid(), signal.SIGTERM)
            {ending}
        """,
    )
    code, _, _ = finish(process)
    assert code == 143
    assert study.result["state"] == "Stopped"


def test_progress_of_1_is_the_end(study):
    """Who counts steps without `steps` says by the progress that none is left."""
    process = start(
        study,
        """
        with Trial.from_environment() as trial:
            trial.progress(1.0)
            os.kill(os.getpid(), signal.SIGTERM)
        """,
    )
    code, _, _ = finish(process)
    assert code == 0
    assert study.result["state"] == "Complete"


@pytest.mark.parametrize(
    ("line", "code", "reason"),
    [
        ("raise ValueError('no such layer')", 1, "Crashed"),
        ("raise MemoryError", 70, "OutOfMemory"),
        ("raise type('OutOfMemoryError', (RuntimeError,), {})('CUDA')", 70, "OutOfMemory"),
        ("sys.exit(9)", 9, "Crashed"),
    ],
)
def test_crash(study, line, code, reason):
    """An exception that leaves the block has its exit code, its reason and a traceback."""
    process = start(study, f"with Trial.from_environment() as trial:\n    {line}")
    found, _, err = finish(process)
    assert found == code
    assert (study.result["state"], study.result["reason"]) == ("Failed", reason)
    assert ("Traceback" in err) == ("raise" in line)


def test_a_library_that_cannot_be_loaded(study, tmp_path):
    """A recipe whose torch is broken ends with what is broken in its result."""
    (tmp_path / "torch.py").write_text("raise OSError('librt.so.1: cannot open shared object')")
    done = subprocess.run(
        [sys.executable, "-m", "kubetune_trainer", "causal-lm"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)} | study.environ(),
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert "librt.so.1" in study.result["message"]


def test_kill(study):
    """A trial killed outright leaves no result and no broken checkpoint."""
    process = start(study, LOOP)
    process.stdout.readline()
    process.kill()
    finish(process)
    assert not study.result_file.exists()
    whole = [path.name for path in (study.folder / "checkpoint").glob("step-*")]
    assert all((study.folder / "checkpoint" / name / "trial.json").exists() for name in whole)


def test_light():
    """A trial without a port imports neither the HTTP side nor YAML nor NumPy."""
    heavy = "prometheus_client", "ruamel", "numpy", "sklearn"
    program = f"import sys, kubetune_trainer.main; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout
    assert out == "[]\n"
