"""What the documents show works as they show it, and leads somewhere."""

import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote

import pytest

from kubetune.cli.main import app
from tests.integration.tuner import command

REPOSITORY = Path(__file__).parents[2]
HOW_TO = REPOSITORY / "docs" / "how-to" / "bring-your-own-trainer.md"
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
