"""Which rates are worth searching: tried on each recipe, with rates from nothing to too much."""

import json
import math
import shutil

import pytest
from PIL import Image
from safetensors.torch import load_file, save_file

from kubetune_trainer.recipes import lr_range_test
from kubetune_trainer.training import chosen
from tests.torch.recipes.subjects import RECIPES
from tests.torch.recorded import Recorded
from tests.torch.training.toy import terminate

NAMES = ("steepest_rate", "last_stable_rate", "suggested_low_rate", "suggested_high_rate")


@pytest.fixture
def ranged(tried):
    """Runs a test, in a folder of its own."""

    def tested(recipe="image-classifier", **more):
        return tried("lr-range-test", "train_loss", recipe, **{"range_steps": 10, **more})

    return tested


@pytest.fixture
def seen(monkeypatch):
    """What tests have built, in order."""
    found, build = [], chosen.build

    def kept(*given):
        found.append(build(*given))
        return found[-1]

    monkeypatch.setattr(chosen, "build", kept)
    return found


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_range_is_suggested_from_a_real_curve(ranged, seen, capsys, recipe):
    """Low rates leave the loss as it is, batch for batch; the range holds a rate that is good."""
    given = RANGES[recipe]
    trial = ranged(recipe, **given)
    assert trial.exit_code == 0
    losses, rates = trial.values("train_loss"), trial.values("learning_rate")
    steepest, stable, low, high = (trial.values(name)[0] for name in NAMES)
    assert losses[1] == pytest.approx(losses[0], rel=1e-3)
    assert given["first_rate"] <= low <= steepest <= stable < rates[-1]
    assert low < GOOD[recipe] < high
    said = f"Search learning_rate from {low:.1e} to {high:.1e}, scale Log"
    assert said == capsys.readouterr().out.splitlines()[-1]
    kept = json.loads((trial.artifact_dir / "lr-range.json").read_text())
    assert (kept["rates"], kept["losses"]) == (rates, losses)
    assert kept["suggestion"] == {
        "steepest": steepest,
        "last_stable": stable,
        "low": low,
        "high": high,
    }
    with Image.open(trial.artifact_dir / "lr-range.png") as plot:
        assert plot.size == (960, 600)
    (it,) = seen
    groups = it.optimizer.torch_optimizer.param_groups
    assert groups[0]["lr"] == pytest.approx(rates[-1] * PEAKS.get(recipe, 1.0))
    if recipe == "diffusion-lora":
        assert groups[1]["lr"] == pytest.approx(groups[0]["lr"] / 4)


RANGES = {
    "causal-lm": {"first_rate": 1e-6, "last_rate": 10.0, "range_steps": 40},
    "image-classifier": {"first_rate": 1e-7, "last_rate": 1.0, "range_steps": 40},
    "diffusion-lora": {
        "first_rate": 1e-4,
        "last_rate": 0.2,
        "range_steps": 45,
        "gradient_accumulation_steps": 3,
        "text_encoder_lr": 5e-3,
    },
}
GOOD = {"causal-lm": 3e-3, "image-classifier": 1e-3, "diffusion-lora": 2e-3}
PEAKS = {"image-classifier": 8.0}
"""A rate stands for one_cycle's lower one: its peak is tried."""


def test_where_nothing_falls_nothing_is_suggested(ranged, capsys):
    """Rates too low for anything: NaN, a plot all the same, and what to do."""
    trial = ranged(first_rate=1e-14, last_rate=1e-12)
    assert trial.exit_code == 0
    assert all(math.isnan(trial.values(name)[0]) for name in NAMES)
    words = "The loss held up to a rate of 1.0e-12 and never fell: write a higher last_rate"
    assert words in capsys.readouterr().out
    assert json.loads((trial.artifact_dir / "lr-range.json").read_text())["suggestion"] is None
    assert (trial.artifact_dir / "lr-range.png").exists()


def test_where_the_loss_breaks_the_test_ends(ranged, capsys):
    """Rates too high for anything: not one more step is made."""
    trial = ranged(first_rate=1e20, last_rate=1e30, range_steps=30)
    assert trial.exit_code == 0
    assert len(trial.values("train_loss")) < 30
    assert math.isnan(trial.values("steepest_rate")[0])
    kept = json.loads((trial.artifact_dir / "lr-range.json").read_text())
    words = f"The loss broke at a rate of {kept['rates'][-1]:.1e} and never fell: write a lower"
    assert words in capsys.readouterr().out
    assert len(kept["rates"]) == len(kept["losses"])


@pytest.mark.parametrize(("at", "exit_code"), [(3, 143), (10, 0)], ids=["before", "at the end"])
def test_sigterm(ranged, tmp_path, at, exit_code):
    """Before the end nothing is suggested, and the next attempt begins anew; at its end it ends."""
    folder, report = tmp_path / "own", Recorded.report

    def and_stop(trial, step=None, **metrics):
        report(trial, step, **metrics)
        if step == at:
            terminate()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Recorded, "report", and_stop)
        stopped = ranged(folder=folder)
    assert stopped.exit_code == exit_code
    assert len(stopped.values("steepest_rate")) == (exit_code == 0)
    if exit_code:
        assert len(ranged(folder=folder).values("train_loss")) == 10


def test_a_plot_leaves_the_broken_tail_out():
    """It would hide the rest; nothing is drawn of nothing."""
    low, high = lr_range_test._limits([3.0, 1.0, 100.0], [3.0, 1.5, 50.0])
    assert (low, high) == pytest.approx((0.8, 4.0))
    assert lr_range_test._limits([], []) is None


def test_a_model_without_numbers_is_refused(ranged, tmp_path, tiny_lm):
    """No rate has done that."""
    broken = tmp_path / "broken"
    shutil.copytree(tiny_lm, broken)
    weights = load_file(broken / "model.safetensors")
    weights["model.norm.weight"].fill_(math.nan)
    save_file(weights, broken / "model.safetensors", metadata={"format": "pt"})
    trial = ranged("causal-lm", model=str(broken))
    assert trial.exit_code == 64
    assert "model: its loss on batch 1 is nan before any training" in trial.result["message"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"optimizer_type": "Prodigy"}, "optimizer_type: Prodigy finds its own rate"),
        ({"precision": "fp16"}, "precision: fp16 is not for looking at a recipe, write bf16 or fp"),
        ({"learning_rate": 0.0}, "learning_rate: 0 has no ratio to other rates, write any other"),
        ({"first_rate": 0.0}, "first_rate: 0.0 must be greater than 0 and less than last_rate, 1."),
        ({"first_rate": 2.0}, "first_rate: 2.0 must be greater than 0 and less than last_rate, 1."),
        ({"range_steps": 5}, "range_steps: 5 is too small, write 10 or more"),
        ({"recipe": "digits"}, "recipe: 'digits' is wrong, write one of causal-lm"),
    ],
)
def test_what_cannot_be_tested_exits_64_and_is_named(ranged, seen, changed, words):
    """Before any model is loaded."""
    trial = ranged(**{"model": "nowhere", **changed})
    assert trial.exit_code == 64
    assert words in trial.result["message"]
    assert not seen
