"""13-tuning-course at small scale, by the commands of its README."""

import json

import pytest

from tests.integration.following import copy_examples, follow

SECONDS = 1500

pytestmark = pytest.mark.timeout(2 * SECONDS)


def test_small(tmp_path):
    """It can learn, the rate has a range, the course comes to its end, the winner trains again.

    The best two are run again with both seeds; the held-back images are opened by the last run
    alone.
    """
    folder = copy_examples(tmp_path) / "13-tuning-course"
    learned, ranged, _, ran, trained = follow("13-tuning-course", tmp_path, seconds=SECONDS)
    assert "Learned by heart" in learned
    assert "Search learning_rate from" in ranged
    assert "phase fine begins; phase coarse had 5 trials" in ran
    trials = json.loads((folder / "runs/course/results.json").read_text())["trials"]
    finals = [trial for trial in trials if trial["stage"] == "finalist"]
    assert len({(trial["repeats"], trial["seed"]) for trial in finals}) == len(finals) == 4
    assert all(trial["state"] == "Complete" for trial in finals)
    shown = [trial for trial in trials if "test_accuracy" in trial["metrics"]]
    assert [trial["stage"] for trial in shown] == ["heldout"]
    assert shown == trials[-1:]
    assert "Retrain: kubetune-trainer image-classifier --config runs/course/best_config.yaml" in ran
    assert "test_accuracy" in trained
    assert (folder / "models/course/best/config.json").exists()
