"""Every example runs to its end by the commands of its README."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
EXAMPLES = REPOSITORY / "examples"
PROGRAMS = Path(sys.executable).parent
SECONDS = 300
"""A command of an example that takes longer has hung."""


def commands(readme: Path) -> list[str]:
    """The lines of its `sh` blocks, in order."""
    blocks = re.findall(r"^```sh\n(.*?)^```", readme.read_text(), re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def follow(example: str, folder: Path) -> list[str]:
    """What each command of an example's README says, run in a folder that holds the examples."""
    (folder / "examples").symlink_to(EXAMPLES)
    said = []
    for line in commands(EXAMPLES / example / "README.md"):
        program, *words = shlex.split(line)
        done = subprocess.run(
            [str(PROGRAMS / program), *words],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        said.append(done.stdout)
    return said


def test_every_example_has_a_test_here() -> None:
    """An example that no test runs stops working unseen."""
    examples = {study.parent.name for study in EXAMPLES.glob("*/study.yaml")}
    assert examples == {"01-digits"}


@pytest.mark.timeout(2 * SECONDS)
def test_digits(tmp_path: Path) -> None:
    """Sixteen trials with pruning and the constraint at work, and a best one to train again."""
    tuned, trained = follow("01-digits", tmp_path)
    results = json.loads((tmp_path / "runs/digits/results.json").read_text())
    trials = results["trials"]
    states = [trial["state"] for trial in trials]
    assert len(states) == 16
    assert states.count("Pruned") >= 1
    assert states.count("Complete") >= 2
    assert results["best"]["values"]["validation_accuracy"] > 0.95
    for trial in trials:
        given = trial["parameters"]
        assert given["optimizer"] != "adam" or given["base_rate"] <= 0.02
        assert (given["momentum"] != 0.0) == (given["optimizer"] == "momentum")
    assert results["rejectedDraws"]
    assert "Retrain: kubetune-trainer digits --config runs/digits/best_config.yaml" in tuned
    held_back = re.search(r"Held-back accuracy: (0\.\d+)", trained)
    assert held_back
    assert float(held_back.group(1)) > 0.9


def test_the_quickstart_is_the_first_example() -> None:
    """`make quickstart` runs the very command that the first example's README teaches."""
    first = commands(EXAMPLES / "01-digits" / "README.md")[0]
    assert first in (REPOSITORY / "Makefile").read_text()
