"""12-llm-sft at small scale, by the commands of its README."""

import json

import pytest

from tests.integration.following import follow

SECONDS = 1500

CLASSES = ("eval_accuracy", "eval_wrong_share", "eval_format_failure_share")

pytestmark = pytest.mark.timeout(2 * SECONDS)


def test_small(tmp_path, beside, tiny_lm, definitions):
    """It runs to its end; some trial ends early; answers are sorted; the best trains again."""
    folder = beside("12-llm-sft", {"lm": tiny_lm, "definitions": definitions})
    *_, ran, trained = follow("12-llm-sft", tmp_path, seconds=SECONDS)
    results = json.loads((folder / "runs/sft/results.json").read_text())
    trials = results["trials"]
    states = [trial["state"] for trial in trials]
    assert len(states) == 6
    assert set(states) <= {"Pruned", "Complete"}
    assert states.count("Pruned") >= 1
    for trial in trials:
        given = trial["parameters"]
        assert given["gradient_accumulation_steps"] == given["effective_batch"] // 32
        assert sum(trial["metrics"][name] for name in CLASSES) == pytest.approx(1.0)
    assert "Retrain: kubetune-trainer causal-lm --config runs/sft/best_config.yaml" in ran
    assert "test_loss" in trained
    assert (folder / "models/sft/best/config.json").exists()
