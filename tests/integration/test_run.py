"""`kubetune run` from its first line to its last, with real processes."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubetune.domain.trial import TrialState
from tests.integration.tuner import Workplace, command

CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Workplace]:
    place = Workplace(tmp_path)
    yield place
    place.kill_trials()


def test_a_study_runs_to_its_end(workplace: Workplace) -> None:
    """A study that succeeds exits 0 and leaves its manifest, every trial and the report behind."""
    workplace.write()
    done = workplace.run()
    assert done.returncode == 0, done.stderr
    results = json.loads((workplace.run_folder / "results.json").read_text())
    assert [trial["state"] for trial in results["trials"]] == ["Complete"] * 4
    assert (workplace.run_folder / "study.yaml").read_text() == workplace.manifest.read_text()
    assert (workplace.run_folder / "REPORT.md").exists()
    assert (workplace.run_folder / "best_config.yaml").exists()


def test_a_study_that_has_ended_has_plots(workplace: Workplace) -> None:
    """They are in the run's folder, and come after the summary."""
    workplace.write()
    done = command("run", str(workplace.manifest), "-o", str(workplace.run_folder))
    assert done.returncode == 0, done.stderr
    plots = {file.name for file in (workplace.run_folder / "plots").iterdir()}
    assert {"history.png", "history.html", "timeline.png"} <= plots
    assert "(plots/history.png)" in (workplace.run_folder / "REPORT.md").read_text()


def test_the_end_says_what_was_best_and_what_to_do_next(workplace: Workplace) -> None:
    """The last lines name the best trial, its parameters, the report and the configuration."""
    workplace.write()
    said = workplace.run().stdout
    best = max(workplace.trials(), key=lambda trial: trial.value or 0.0)
    assert f"Best configuration (trial {best.number})" in said
    assert str(workplace.run_folder / "REPORT.md") in said
    assert str(workplace.run_folder / "best_config.yaml") in said


def test_lines_for_a_pipe_are_plain(workplace: Workplace) -> None:
    """Nothing that a trial writes puts control characters or colours into a pipe."""
    bad = r'printf "\033[2J\033]0;x\007" ; printf "\033[31mred" >&2; exit 3'
    workplace.write(command=["sh", "-c", bad])
    done = workplace.run()
    assert not CONTROL.search(done.stdout + done.stderr)


def test_hostile_messages_reach_no_terminal(workplace: Workplace) -> None:
    """The message of a result, with colours and reversed text in it, is shown harmless."""
    result = r"{\"schema\":1,\"state\":\"Failed\",\"message\":\"\\u001b[31m\\u202e[red]x[/]\"}"
    workplace.write(command=["sh", "-c", f'echo "{result}" > "$KUBETUNE_TERMINATION_LOG"; exit 1'])
    done = workplace.run()
    assert "[red]x[/]" in done.stdout
    assert not CONTROL.search(done.stdout + done.stderr)


def test_a_study_without_a_complete_trial_fails(workplace: Workplace) -> None:
    """Exit code 1 tells scripts that a study brought nothing."""
    workplace.write(command=["sh", "-c", "exit 3"])
    assert workplace.run().returncode == 1
    assert {trial.state for trial in workplace.trials()} == {TrialState.FAILED}
    assert not (workplace.run_folder / "best_config.yaml").exists()


def test_too_many_failures_end_a_study(workplace: Workplace) -> None:
    """`trials.maxFailed` ends a study early, with exit code 1 and the limit named."""
    workplace.write(
        command=["sh", "-c", "exit 3"], trials={"max": 50, "parallelism": 1, "maxFailed": 2}
    )
    done = workplace.run()
    assert done.returncode == 1
    assert "trials.maxFailed is 2" in done.stdout
    assert len(workplace.trials()) == 3


def test_a_command_that_does_not_exist_is_named(workplace: Workplace) -> None:
    """A trial that cannot be started says which file is missing."""
    workplace.write(command=["/no/such/program"])
    done = workplace.run()
    assert done.returncode == 1
    assert "/no/such/program" in done.stdout


def test_an_invalid_manifest_is_refused_with_its_lines(workplace: Workplace) -> None:
    """Exit code 2, every fault with file and line, and no folder made."""
    workplace.write(trials={"max": 0, "parallelism": 2})
    done = workplace.run()
    assert done.returncode == 2
    assert re.search(r"study\.yaml:\d+: spec\.trials\.max", done.stderr)
    assert not workplace.run_folder.exists()


def test_the_table_of_a_terminal(workplace: Workplace) -> None:
    """On a terminal the run shows the trials in a table and leaves the cursor visible."""
    workplace.write()
    words = ["run", str(workplace.manifest), "-o", str(workplace.run_folder)]
    code, shown = _on_a_terminal(words)
    assert code == 0
    assert "4/4 trials" in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l")


def test_two_tuners_never_share_a_folder(workplace: Workplace) -> None:
    """The second one is refused with the first one's process id, and the first goes on."""
    workplace.write(seconds=30)
    with workplace.running() as tuner:
        tuner.hear("trial 0 launched")
        second = workplace.run()
        assert second.returncode == 2
        assert f"process {tuner.pid}" in second.stderr
        fresh = workplace.run("--fresh")
        assert fresh.returncode == 2
        tuner.send(signal.SIGINT)
        assert tuner.end()[0] == 130


def test_fresh_moves_the_earlier_run_aside(workplace: Workplace) -> None:
    """`--fresh` begins again at trial 0 and keeps what was there under another name."""
    workplace.write(trials={"max": 2})
    workplace.run()
    (workplace.run_folder / "mine.txt").write_text("notes")
    done = workplace.run("--fresh")
    assert done.returncode == 0
    assert "trial 0 launched" in done.stdout
    (aside,) = workplace.run_folder.parent.glob("out-*")
    assert str(aside) in done.stderr
    assert (aside / "mine.txt").read_text() == "notes"
    assert (aside / "trials.sqlite3").exists()


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("parameters", [{"name": "x", "type": "Double", "min": 0, "max": 2}]),
        ("objectives", [{"metric": "score", "direction": "Minimize"}]),
        ("sampler", {"algorithm": "Random", "seed": 2}),
        ("constraints", [{"name": "low", "forbid": "x > 0.9"}]),
        ("derived", [{"name": "y", "value": "x * 2.0"}]),
    ],
)
def test_a_changed_search_is_refused(
    workplace: Workplace, field: str, change: list[dict[str, object]]
) -> None:
    """What trials were drawn from cannot change under them: the field and --fresh are named."""
    workplace.write(trials={"max": 1})
    workplace.run()
    kept = workplace.manifest.read_text()
    workplace.write(trials={"max": 2}, **{field: change})
    done = workplace.run()
    assert done.returncode == 2
    assert f"spec.{field}" in done.stderr
    assert "--fresh" in done.stderr
    assert (workplace.run_folder / "study.yaml").read_text() == kept
    assert len(workplace.trials()) == 1


def test_a_folder_of_another_study_is_refused(workplace: Workplace) -> None:
    """A run's folder belongs to one study, by name."""
    workplace.write(trials={"max": 1})
    workplace.run()
    other = workplace.manifest.read_text().replace('"tiny"', '"other"')
    workplace.manifest.write_text(other)
    done = workplace.run()
    assert done.returncode == 2
    assert "holds the study 'tiny', not 'other'" in done.stderr


def _on_a_terminal(words: list[str]) -> tuple[int, str]:
    """The exit code and everything that a terminal was sent."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"}
    with subprocess.Popen(
        [sys.executable, "-m", "kubetune", *words],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
    ) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                chunk = os.read(ours, 65536)
            except OSError:  # Linux's way to say that the other side is closed
                break
            if not chunk:
                break
            shown += chunk
        code = process.wait()
    os.close(ours)
    return code, shown.decode()
