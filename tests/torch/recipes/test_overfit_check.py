"""Whether a model can learn a few examples by heart: tried on each recipe."""

import math

import pytest

from kubetune_trainer.recipes import overfit_check
from tests.torch.recipes.subjects import RECIPES
from tests.torch.recorded import Recorded
from tests.torch.training.toy import terminate

RATIOS = {"causal-lm": 0.3, "image-classifier": 0.1, "diffusion-lora": 0.8}
"""What a few steps reach: a LoRA learns noise slowly."""


@pytest.fixture
def check(tried):
    """Runs a check of few examples, in a folder of its own."""

    def checked(recipe="image-classifier", **more):
        few = {"overfit_examples": 4, "overfit_steps": 30}
        return tried("overfit-check", "loss_ratio", recipe, **{**few, **more})

    return checked


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_sane_rate_learns_by_heart_and_a_tiny_one_does_not(check, capsys, recipe):
    """It ends as soon as it has, and each time says in words what came of it."""
    ratio = RATIOS[recipe]
    learned = check(recipe, overfit_loss_ratio=ratio)
    losses, words = learned.values("train_loss"), capsys.readouterr().out.splitlines()[-1]
    assert learned.exit_code == 0
    assert learned.values("memorised") == [1.0]
    assert losses[-1] <= ratio * losses[0] < min(losses[:-1])
    assert words.startswith("Learned by heart: of 4 examples the loss is ")
    still = check(recipe, overfit_loss_ratio=ratio, learning_rate=1e-12, overfit_steps=3)
    words = capsys.readouterr().out.splitlines()[-1]
    assert still.exit_code == 0
    assert still.values("memorised") == [0.0]
    assert still.values("train_loss") == pytest.approx([losses[0]] * 3, rel=1e-4)
    assert words.startswith("Not learned by heart: of 4 examples the loss is 100.0% of the first")
    assert "another learning_rate" in words


def test_what_keeps_a_model_from_learning_by_heart_is_off(check):
    """Dropout, smoothed labels and augmentation change no loss; decay neither."""
    hindered = {"drop_rate": 0.5, "label_smoothing": 0.3, "erase": 1.0, "weight_decay": 0.5}
    one, other = check(overfit_steps=3), check(overfit_steps=3, **hindered)
    assert one.values("train_loss") == other.values("train_loss")


def test_a_rate_that_breaks_the_model_is_named(check, capsys):
    """It ends there: the same step again would have the same loss."""
    broken = check(learning_rate=1e30)
    assert broken.exit_code == 0
    assert broken.values("memorised") == [0.0]
    assert len(broken.values("train_loss")) < 10
    assert "no finite loss and gradients, write a lower learning_rate" in capsys.readouterr().out


@pytest.mark.parametrize(("at", "exit_code"), [(2, 143), (3, 0)], ids=["before", "at the end"])
def test_sigterm(check, tmp_path, at, exit_code):
    """Before the end the check says nothing, and the next attempt all of it; at its end it ends."""
    folder = tmp_path / "own"
    report = Recorded.report

    def and_stop(trial, step=None, **metrics):
        report(trial, step, **metrics)
        if step == at:
            terminate()

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Recorded, "report", and_stop)
        stopped = check(folder=folder, overfit_steps=3)
    assert stopped.exit_code == exit_code
    assert len(stopped.values("memorised")) == (exit_code == 0)
    if exit_code:
        assert check(folder=folder, overfit_steps=3).values("memorised") == [0.0]


def test_examples_are_from_all_over_the_data():
    """Files lie by class, and the first class alone is soon known; no example is there twice."""
    assert overfit_check.spread(4, 100) == [(0, 1), (25, 1), (50, 1), (75, 1)]
    assert overfit_check.spread(8, 3) == [(0, 1), (1, 1), (2, 1)]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"overfit_examples": 0}, "overfit_examples: 0 is too small, write 1 or more"),
        ({"overfit_steps": 0}, "overfit_steps: 0 is too small, write 1 or more"),
        ({"overfit_loss_ratio": 1.0}, "overfit_loss_ratio: 1.0 must be greater than 0 and less"),
        ({"overfit_loss_ratio": math.nan}, "overfit_loss_ratio: nan must be greater than 0"),
        ({"recipe": "digits"}, "recipe: 'digits' is wrong, write one of causal-lm, image-class"),
        ({"precision": "fp16"}, "precision: fp16 is not for looking at a recipe, write bf16 or fp"),
        ({"learning_rate": 0.0}, "learning_rate: nothing is trained, write a rate greater than 0"),
        ({"batch_size": 0}, "batch_size: 0 is too small, write 1 or more"),
        ({"model": 3}, "model: 3 is wrong, write a text"),
    ],
)
def test_what_cannot_be_checked_exits_64_and_is_named(check, changed, words):
    """Its own parameters and those of the recipe that is looked at."""
    trial = check(**changed)
    assert trial.exit_code == 64
    assert words in trial.result["message"]


def test_parameters_that_nobody_reads_are_noted(check, capsys):
    """A misspelt one would else be left out in silence."""
    check(overfit_steps=1, lerning_rate=3.0)
    assert "not read by this trainer: lerning_rate\n" in capsys.readouterr().err
