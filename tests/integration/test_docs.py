"""What the documents show works as they show it, and leads somewhere."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from kubetune.cli.main import app
from tests.integration.tuner import command

REPOSITORY = Path(__file__).parents[2]
HOW_TO = REPOSITORY / "docs" / "how-to" / "bring-your-own-trainer.md"
COURSE = REPOSITORY / "docs" / "how-to" / "plan-the-course-of-a-study.md"
README = REPOSITORY / "README.md"
DOCUMENTS = sorted(
    [
        *REPOSITORY.glob("*.md"),
        *REPOSITORY.glob("docs/**/*.md"),
        *REPOSITORY.glob("examples/**/*.md"),
    ]
)
PROGRAMS = Path(sys.executable).parent


def blocks(document: Path) -> list[tuple[str, str]]:
    """Every fenced block: the words after its fence, and its text."""
    return re.findall(r"^```(\S.*?)\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)


def block(document: Path, head: str) -> str:
    (text,) = [text for found, text in blocks(document) if found == head]
    return text


def run(words: list[str], folder: Path) -> "subprocess.CompletedProcess[str]":
    """A command in a folder, with this environment's programs and outside of any trial."""
    environment = {**os.environ, "PATH": f"{PROGRAMS}:{os.environ['PATH']}"}
    return subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def test_a_shell_script_is_a_trial(tmp_path: Path) -> None:
    """The how-to's script and manifest run as they stand there, by the commands beside them."""
    for name in ("sh trial.sh", "yaml study.yaml"):
        (tmp_path / name.split()[1]).write_text(block(HOW_TO, name))
    done = run(["sh", "-e", "-c", block(HOW_TO, "sh run")], tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "best_config.yaml").exists()
    log = (tmp_path / "out" / "trials" / "0" / "stdout.log").read_text()
    assert re.search(r"^x=\S+ y=\S+ loss=\d", log, re.MULTILINE)


def test_a_python_script_is_a_trial(tmp_path: Path) -> None:
    """The how-to's Python trainer tunes in a study: its parameters arrive, its loss comes back."""
    (tmp_path / "train.py").write_text(block(HOW_TO, "python"))
    manifest = tmp_path / "study.yaml"
    manifest.write_text(
        "apiVersion: kubetune.io/v1alpha1\n"
        "kind: TuningStudy\n"
        "metadata: {name: own-python}\n"
        "spec:\n"
        "  objectives: [{metric: loss, direction: Minimize}]\n"
        "  parameters: [{name: learning_rate, type: Double, min: 0.1, max: 1.0}]\n"
        "  trials: {max: 2, parallelism: 2}\n"
        "  trialTemplate:\n"
        "    spec:\n"
        f"      containers: [{{name: trainer, command: ['{sys.executable}', train.py]}}]\n"
    )
    done = run(["kubetune", "run", "study.yaml", "-o", "out"], tmp_path)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("Complete: loss 0.") == 2


def test_a_trainer_is_an_ordinary_script(tmp_path: Path) -> None:
    """Outside a study the same file prints its reports."""
    script = block(HOW_TO, "python").replace("learning_rate: float", "learning_rate: float = 0.5")
    (tmp_path / "train.py").write_text(script)
    done = run([sys.executable, "train.py"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.search(r"step 10\s+loss 0\.", done.stdout + done.stderr)


def test_a_whole_shell_script_is_a_trial(tmp_path: Path) -> None:
    """The how-to's longer script tunes in its own manifest's study."""
    for name in ("sh steps.sh", "yaml steps.yaml"):
        (tmp_path / name.split()[1]).write_text(block(HOW_TO, name))
    done = run(["kubetune", "run", "steps.yaml", "-o", "out"], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Complete: loss ") == 4


def test_a_shell_script_is_stopped_and_goes_on(tmp_path: Path) -> None:
    """It ends its step at SIGTERM with 143 and a result; the next attempt begins after it."""
    (tmp_path / "steps.sh").write_text(block(HOW_TO, "sh steps.sh"))
    with subprocess.Popen(
        ["sh", "steps.sh"],
        cwd=tmp_path,
        env=attempt(tmp_path, steps=100_000, resume=False),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("step 1 loss 0.")
        process.terminate()
        process.stdout.read()
    result = json.loads((tmp_path / "result").read_text())
    assert process.returncode == 143
    assert result["state"] == "Stopped"
    last = result["step"]

    again = attempt(tmp_path, steps=last + 2, resume=True)
    words = ["sh", "steps.sh"]
    done = subprocess.run(
        words, cwd=tmp_path, env=again, capture_output=True, text=True, check=True
    )
    assert [line.split()[1] for line in done.stdout.splitlines()] == [str(last + 1), str(last + 2)]
    assert json.loads((tmp_path / "result").read_text())["state"] == "Complete"


def test_a_shell_script_refuses_what_it_cannot_use(tmp_path: Path) -> None:
    """A value out of range exits 64 with its reason."""
    (tmp_path / "steps.sh").write_text(block(HOW_TO, "sh steps.sh"))
    environment = {**attempt(tmp_path, steps=2, resume=False), "KUBETUNE_PARAM_rate": "7"}
    done = subprocess.run(
        ["sh", "steps.sh"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 64
    assert json.loads((tmp_path / "result").read_text())["reason"] == "BadConfiguration"


def attempt(folder: Path, *, steps: int, resume: bool) -> dict[str, str]:
    """What a study sets for one attempt of a trial."""
    return {
        "PATH": os.environ["PATH"],
        "KUBETUNE_PARAM_rate": "0.5",
        "KUBETUNE_PARAM_steps": str(steps),
        "KUBETUNE_TRIAL": json.dumps({"schema": 1, "trial": 0, "resume": resume}),
        "KUBETUNE_CHECKPOINT_DIR": str(folder),
        "KUBETUNE_TERMINATION_LOG": str(folder / "result"),
    }


def test_a_python_loop_saves_and_goes_on(tmp_path: Path) -> None:
    """The how-to's loop with checkpoints goes on after the step that it saved last."""
    script = block(HOW_TO, "python resumed.py")
    (tmp_path / "short.py").write_text(script.replace("trial.steps(20)", "trial.steps(3)"))
    (tmp_path / "resumed.py").write_text(script)
    for resume, name in ((False, "short.py"), (True, "resumed.py")):
        environment = attempt(tmp_path, steps=0, resume=resume)
        order = {**json.loads(environment["KUBETUNE_TRIAL"]), "parameters": {"rate": 0.5}}
        done = subprocess.run(
            [sys.executable, name],
            cwd=tmp_path,
            env={**environment, "KUBETUNE_TRIAL": json.dumps(order)},
            capture_output=True,
            text=True,
            check=True,
        )
    assert done.stdout.splitlines()[0].split() == ["step", "4", "loss", "0.0625"]


@pytest.mark.parametrize("name", ["study.yaml", "steps.yaml", "hf.yaml", "foreign.yaml"])
def test_every_manifest_of_the_how_to_is_valid(tmp_path: Path, name: str) -> None:
    """What is shown is accepted without a warning."""
    file = tmp_path / name
    file.write_text(block(HOW_TO, f"yaml {name}"))
    done = command("validate", str(file))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_readme_s_manifest_is_valid(tmp_path: Path) -> None:
    """The first thing that a newcomer copies is accepted without a warning."""
    (manifest,) = [text for head, text in blocks(README) if head == "yaml"]
    file = tmp_path / "study.yaml"
    file.write_text(manifest)
    done = command("validate", str(file))
    assert done.returncode == 0, done.stderr
    assert not done.stderr


def test_every_command_that_is_named_exists() -> None:
    """`kubetune WORD` in a table or a block of the README is a command of the program."""
    named = set(re.findall(r"^[|`$ ]*kubetune ([a-z]+)", README.read_text(), re.MULTILINE))
    there = {entry.callback.__name__ for entry in app.registered_commands if entry.callback}
    assert named
    assert named <= there


def test_every_command_is_named() -> None:
    """The README's table misses no command."""
    text = README.read_text()
    for entry in app.registered_commands:
        assert entry.callback
        assert f"kubetune {entry.callback.__name__}" in text


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_every_link_leads_somewhere(document: Path) -> None:
    """A relative link names a file or folder that is there."""
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text())
    local = [
        target for target in targets if "://" not in target and not target.startswith("mailto:")
    ]
    missing = [one for one in local if not (document.parent / unquote(one)).exists()]
    assert not missing


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md"])
def test_every_make_target_that_is_named_exists(name: str) -> None:
    """`make WORD` in a document is a target of the Makefile."""
    named = set(re.findall(r"\bmake ([a-z][a-z0-9-]+)(?=[`\s])", code(REPOSITORY / name)))
    there = set(re.findall(r"^([a-z0-9-]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    assert named <= there


def test_make_help_misses_no_target() -> None:
    """Whatever has a sentence in the Makefile stands on its front page."""
    told = re.findall(r"^(\S+):.*## ", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    shown = run(["make", "help"], REPOSITORY).stdout
    assert [name for name in told if f"  make {name} " not in shown] == []


def code(document: Path) -> str:
    """What a document shows as code: its blocks, and what stands between backticks."""
    text = document.read_text()
    inline = re.findall(r"`([^`\n]+)`", text)
    return "\n".join([*(body for _, body in blocks(document)), *(f"{one} " for one in inline)])


@pytest.mark.timeout(400)
def test_a_course_runs_as_it_is_planned(tmp_path: Path) -> None:
    """The how-to's phases in their order, finals, a warm start, and more trials afterwards."""
    for name in ("sh trial.sh", "yaml course.yaml", "yaml again.yaml"):
        (tmp_path / name.split()[1]).write_text(block(COURSE, name))

    def follow(name: str) -> str:
        done = run(["sh", "-e", "-c", block(COURSE, f"sh {name}")], tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "warning" not in done.stderr
        return done.stdout + done.stderr

    def trials() -> list[dict[str, Any]]:
        found = json.loads((tmp_path / "runs/course/results.json").read_text())["trials"]
        assert sum("test_loss" in trial["metrics"] for trial in found) == 1
        return list(found)

    said = follow("course")
    assert "phase dropout begins; phase coarse had 12 trials" in said
    assert "phase fine begins; phase dropout had 4 trials" in said
    assert "the winner is run on held-out data" in said
    first = trials()
    dropout = ["drop" in trial["parameters"] for trial in first[:17]]
    assert dropout == [False] * 12 + [True] * 4 + [False]
    assert "8 trials of course are taken over" in follow("again")
    assert "going on with" in follow("more")
    assert len(trials()) > len(first)
