"""Every example runs to its end by the commands of its README."""

import json
import re
from pathlib import Path

import pytest

from tests.integration.following import EXAMPLES, REPOSITORY, SECONDS, commands, follow

HERE = {"01-digits"}
"""The examples that this file runs; others have files of their own in folders `examples`."""


def test_every_example_has_a_test() -> None:
    """An example that no test runs stops working unseen."""
    examples = {study.parent.name for study in EXAMPLES.glob("*/study.yaml")}
    names = {path.stem for path in (REPOSITORY / "tests").glob("*/examples/test_*.py")}
    tested = {name for name in examples if f"test_{name.replace('-', '_')}" in names}
    assert examples - tested == HERE


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
