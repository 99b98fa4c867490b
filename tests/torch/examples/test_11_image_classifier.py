"""11-image-classifier at small scale: by the commands of its README, and stopped by its rules."""

import json
import sys

import pytest
import timm

from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import TrialState
from tests.integration.following import EXAMPLES, follow
from tests.integration.scripted import Scripted

EXAMPLE = "11-image-classifier"
SECONDS = 1500
EACH_EPOCH = {
    *("train_accuracy", "eval_accuracy", "eval_loss", "eval_macro_f1", "accuracy_gap"),
    *("eval_epoch", "epoch_seconds"),
}

pytestmark = pytest.mark.timeout(2 * SECONDS)


def test_small(tmp_path, beside):
    """From a model that knows some digits; the configuration by hand first, and one kept."""
    folder = beside(EXAMPLE, {})
    _, ran, _ = follow(EXAMPLE, tmp_path, seconds=SECONDS)
    trials = json.loads((folder / "runs/classifier/results.json").read_text())["trials"]
    assert len(trials) == 4
    assert trials[0]["baseline"]
    assert trials[0]["state"] == "Complete"
    assert {trial["state"] for trial in trials} <= {"Complete", "Pruned"}
    for trial in trials:
        assert trial["metrics"].keys() >= EACH_EPOCH
        assert trial["metrics"]["eval_accuracy"] >= 0.85
    assert "phase" not in ran
    model = timm.create_model(f"local-dir:{folder / 'models/classifier/best'}", pretrained=True)
    assert model.num_classes == 10


def test_a_real_training_is_stopped(tmp_path):
    """A model that was taught nothing is below 0.85 after its first epoch: it ends there."""
    study = Scripted(
        EXAMPLE,
        "",
        tmp_path,
        patches=(EXAMPLES / EXAMPLE / "small/study.yaml",),
        command=[sys.executable, "-m", "kubetune_trainer", "image-classifier"],
        fixed={"weights": "", "epochs": 20},
        trials={"max": 1},
    )
    study.run(seconds=SECONDS, code=1)
    (trial,) = study.trials()
    assert trial.outcome
    assert (trial.state, trial.outcome.reason) == (TrialState.PRUNED, TrialReason.GUARD_TRIPPED)
    assert trial.outcome.message.startswith("guard 'slow-start'")
    assert trial.outcome.metrics["eval_epoch"] == 1.0
