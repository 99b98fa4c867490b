"""The recipe for image classifiers: digits, folders, faults, and a model that timm loads back."""

import json
import math
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from PIL import Image
from sklearn.metrics import f1_score

from kubetune_trainer.images import files, labelled
from kubetune_trainer.recipes import image_classifier as recipe
from kubetune_trainer.training import devices, schedules
from tests.torch.recorded import TINY_EVA, Recorded, run

RESNET = {"model": "test_resnet.r160_in1k", "image_size": 32, "precision": "fp32"}
W1 = {
    "weight_decay": 0.07,
    "drop_rate": 0.2,
    "drop_path_rate": 0.1,
    "label_smoothing": 0.05,
    "adam_beta1": 0.9,
    "adam_beta2": 0.999,
    "adam_epsilon": 1e-8,
    "lr_scheduler": "one_cycle",
    "peak_ratio": 8.0,
    "pct_start": 0.2,
    "div_factor": 20.0,
    "final_ratio": 1e-4,
}
GOLDEN = [0.6429, 0.5695, 1.1841, 0.4712]
CHANCE = {
    "crop_scale": 0.5,
    "flip": 0.5,
    "erase": 0.5,
    "auto_augment": "rand-m9-mstd0.5",
    "drop_rate": 0.2,
    "drop_path_rate": 0.2,
}


@pytest.fixture(scope="module")
def shapes(tmp_path_factory):
    """Folders of bright and dark images of several shapes, 12 of each to train with."""
    root = tmp_path_factory.mktemp("shapes")
    rng = np.random.default_rng(1)
    for part, count in (("train", 12), ("eval", 6), ("test", 4)):
        for name, mean in (("bright", 190), ("dark", 60)):
            (root / part / name).mkdir(parents=True)
            for index in range(count):
                noise = rng.normal(mean, 30, (20 + index, 30, 3)).clip(0, 255)
                image = Image.fromarray(noise.astype(np.uint8))
                image.save(root / part / name / f"{index:02d}.png")
    return root


def folders(shapes, *parts):
    """The fields that name them."""
    return {f"{part}_data": str(shapes / part) for part in parts}


def built(**given):
    """What the recipe makes of its parameters."""
    torch.manual_seed(1)
    config = recipe.Config(**{"learning_rate": 1e-3, **given})
    return recipe.build(config, 1, devices.chosen("fp32"), None)


def test_a_good_rate_beats_bad_ones(tmp_path):
    """Half an epoch of the digits: too low learns little, too high nothing."""
    found = {}
    for rate in (1e-6, 1e-3, 0.1):
        given = {**RESNET, "train_data": "digits", "learning_rate": rate, "batch_size": 16}
        given |= {"max_steps": 34, "evaluate_first": False}
        trial = Recorded(tmp_path / str(rate), given, objectives=("eval_macro_f1",))
        found[rate] = run("image-classifier", trial).values("eval_macro_f1")[-1]
    assert found[1e-3] > 0.5
    assert found[1e-3] > 2 * max(found[1e-6], found[0.1])


def test_all_measures_of_the_workload_are_reported(tmp_path):
    """Each epoch: accuracy and loss on both sides, macro F1, the gap, and the rate."""
    given = {**TINY_EVA, **W1, "learning_rate": 3e-5, "batch_size": 256, "epochs": 1}
    trial = run("image-classifier", Recorded(tmp_path, given, objectives=("eval_accuracy",)))
    found = trial.result["metrics"]
    assert {
        *("train_loss", "train_accuracy", "eval_loss", "eval_accuracy", "eval_macro_f1"),
        *("accuracy_gap", "learning_rate", "step_seconds", "evaluation_seconds", "gradient_norm"),
    } <= found.keys()
    assert found["accuracy_gap"] == pytest.approx(found["train_accuracy"] - found["eval_accuracy"])


def test_one_cycle_follows_its_three_ratios(tmp_path, shapes):
    """From 8/20 of the rate up to 8 times it after a fifth, and down to a ten-thousandth."""
    given = {**RESNET, **W1, **folders(shapes, "train", "eval"), "learning_rate": 3e-5}
    given |= {"epochs": 10, "batch_size": 12, "log_every": 1, "evaluate_every": 20}
    trial = Recorded(tmp_path, given)
    rates = run("image-classifier", trial).values("learning_rate")
    assert len(rates) == 20
    assert rates.index(max(rates)) == 2  # the fourth step has the peak: rates are of the next one
    assert max(rates) == pytest.approx(8 * 3e-5)
    assert rates[-1] == pytest.approx(3e-5 * 1e-4)


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_a_cycle_may_be_as_short_as_it_likes(steps):
    """Five steps of which a fifth lead up: that is none, and still a cycle."""
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    course = schedules.Course(kind="one_cycle", steps=steps)
    scheduler, rates = schedules.build(optimizer, course), []
    for _ in range(steps):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step() if len(rates) < steps else None
    assert rates[0] == pytest.approx(8 / 20)
    assert steps == 1 or rates[-1] == pytest.approx(1e-4)


def test_the_optimizer_gets_the_workloads_values():
    """Betas, eps and decay; biases and norms do not decay."""
    config = recipe.Config(**{**TINY_EVA, **W1})
    assert config.optimizer.betas == (0.9, 0.999)
    assert config.optimizer.eps == 1e-8
    made = built(**TINY_EVA, weight_decay=0.07)
    by_decay = {group.weight_decay: group.parameters for group in made.groups}
    assert set(by_decay) == {0.0, 0.07}
    assert all(parameter.ndim > 1 for parameter in by_decay[0.07])


def test_rates_of_dropping_reach_the_model():
    """Head dropout, and stochastic depth that grows with the depth."""
    model = built(**TINY_EVA, drop_rate=0.2, drop_path_rate=0.1).task.module
    assert model.head_drop.p == 0.2
    depths = [getattr(block.drop_path1, "drop_prob", 0.0) for block in model.blocks]
    assert depths == pytest.approx([0.0, 0.05, 0.1])


def test_smoothing_is_that_of_torch_and_leaves_evaluations_alone(shapes):
    """Labels are smoothed in training only: evaluation losses of two smoothings can be compared."""
    losses = []
    for smoothing in (0.0, 0.1):
        task = built(**RESNET, **folders(shapes, "train"), label_smoothing=smoothing).task
        task.module.eval()
        batch = task.collate([(index, 1) for index in range(8)])
        with torch.no_grad():
            loss = task.loss(task.module, batch)
            scores = task.module(batch["images"])
        wanted = torch.nn.functional.cross_entropy(
            scores, batch["labels"], label_smoothing=smoothing, reduction="sum"
        )
        assert float(loss) == pytest.approx(float(wanted))
        losses.append(task.evaluate(lambda: False)["eval_loss"])
    assert losses[0] == losses[1]


def test_evaluations_equal_scikit_learns(shapes):
    """Accuracy and macro F1 of the same predictions."""
    task = built(**RESNET, **folders(shapes, "train", "eval")).task
    task.module.eval()
    found = task.evaluate(lambda: False)
    images = labelled.folder(shapes / "eval")
    config = recipe.Config(**RESNET, **folders(shapes, "train"))
    view = recipe.views(task.module, config).plain
    with torch.no_grad():
        stack = torch.stack([view(images.read(index)) for index in range(len(images))])
        predicted = task.module(stack).argmax(dim=1).numpy()
    wanted = f1_score(images.labels, predicted, average="macro")
    assert found["eval_macro_f1"] == pytest.approx(wanted)
    assert found["eval_accuracy"] == pytest.approx(np.mean(predicted == images.labels))


def test_a_convolutional_network_learns_a_folder_of_images(tmp_path, shapes):
    """Any model of timm; the held-back folder is opened in the held-out stage, and only then."""
    given = {**RESNET, **folders(shapes, "train", "eval"), "test_data": str(tmp_path / "nowhere")}
    given |= {"learning_rate": 3e-3, "batch_size": 8, "epochs": 3}
    searched = run("image-classifier", Recorded(tmp_path / "a", given))
    assert searched.exit_code == 0
    assert "test_accuracy" not in searched.result["metrics"]
    given["test_data"] = str(shapes / "test")
    final = run("image-classifier", Recorded(tmp_path / "b", given, stage="heldout"))
    assert final.result["metrics"]["test_accuracy"] > 0.9


@pytest.mark.parametrize("kind", ["eva", "resnet"])
def test_the_best_model_loads_back_through_timm(tmp_path, shapes, kind):
    """By `local-dir:`, with its own transform, to the accuracy that was reported of it."""
    own = {**TINY_EVA} if kind == "eva" else {**RESNET}
    given = {**own, **folders(shapes, "train", "eval"), "epochs": 2, "learning_rate": 1e-3}
    trial = Recorded(tmp_path, given, objectives=("eval_accuracy",))
    best = max(run("image-classifier", trial).values("eval_accuracy"))
    folder = trial.artifact_dir / "best"
    model = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    about = timm.data.resolve_model_data_config(model)
    assert about["input_size"] == (3, 32, 32)
    view = timm.data.create_transform(**about, is_training=False)
    right = [
        model(view(files.read(path))[None]).argmax().item() == label
        for label, name in enumerate(
            json.loads((folder / "config.json").read_text())["label_names"]
        )
        for path in sorted((shapes / "eval" / name).iterdir())
    ]
    assert np.mean(right) == pytest.approx(best)


def test_a_model_that_was_kept_begins_another_training(tmp_path):
    """Its weights with another head: they are what the new training starts from."""
    given = {**TINY_EVA, "max_steps": 1, "batch_size": 8}
    kept = run("image-classifier", Recorded(tmp_path, given)).artifact_dir / "best"
    torch.manual_seed(2)
    weights = str(kept / "model.safetensors")
    found = recipe.load(recipe.Config(**{**TINY_EVA, "weights": weights}), ("a", "b"))
    theirs = timm.models.load_state_dict(weights)
    assert torch.equal(found.state_dict()["pos_embed"], theirs["pos_embed"])
    assert found.num_classes == 2


def augmented(folder, shapes, *, stop_after=None, **more):
    """Two epochs of six steps with all that is random, told to stop after one of them."""
    given = {**RESNET, **CHANCE, **folders(shapes, "train", "eval"), "epochs": 2}
    given |= {"batch_size": 4, "log_every": 1, "learning_rate": 1e-3, **more}
    trial = Recorded(folder, given)
    report = trial.report

    def and_stop(step=None, **metrics):
        report(step, **metrics)
        if step == stop_after:
            os.kill(os.getpid(), signal.SIGTERM)

    trial.report = and_stop
    return run("image-classifier", trial)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, shapes):
    """Such a training that nothing disturbs."""
    return augmented(tmp_path_factory.mktemp("whole"), shapes)


def test_golden_losses(whole):
    """The same seed, the same losses, on every machine."""
    assert whole.values("train_loss")[:4] == pytest.approx(GOLDEN, rel=2e-2)


@pytest.mark.parametrize("workers", [0, 2])
def test_augmentation_goes_on_as_if_nothing_had_been(tmp_path, shapes, whole, workers):
    """SIGTERM within an epoch: the same crops, flips and erasures, whoever makes the batches."""
    first, second = (
        augmented(tmp_path, shapes, stop_after=step, data_workers=workers) for step in (2, None)
    )
    assert (first.exit_code, second.exit_code) == (143, 0)
    for name in ("train_loss", "gradient_norm", "eval_loss", "train_accuracy"):
        assert first.values(name) + second.values(name) == whole.values(name)
    assert len(set(whole.values("train_loss"))) == len(whole.values("train_loss")) == 12


def test_augmentation_differs_from_epoch_to_epoch(shapes):
    """And is the same for the same image, epoch and seed."""
    task = built(**RESNET, **CHANCE, **folders(shapes, "train")).task
    first, again, later = (task.collate([(3, epoch)])["images"] for epoch in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, later)


def test_without_chance_images_are_what_evaluations_see(shapes):
    """As a check that a model can learn by heart needs it."""
    given = {**RESNET, **folders(shapes, "train")}
    task = built(**{**given, **recipe.PLAIN}).task
    whole = labelled.split(labelled.folder(shapes / "train"))[0]
    square = next(i for i in range(len(whole)) if len(set(whole.read(i).size)) == 1)
    view = recipe.views(task.module, recipe.Config(**given)).plain
    assert torch.equal(task.collate([(square, 1)])["images"][0], view(whole.read(square)))


def faults(shapes):
    """Parameters that cannot be trained with, and what is said of them."""
    odd = shapes / "odd"
    return {
        "model": ({"model": "resnet_of_tomorrow"}, "model: resnet_of_tomorrow"),
        "policy": ({"auto_augment": "wild"}, "auto_augment: wild"),
        "options": ({"model_options": "[1]"}, "model_options: [1]: it is no JSON object"),
        "shares": ({"pct_start": 0.0, "crop_scale": 1.5}, "pct_start: 0.0"),
        "weights": ({"weights": "nowhere.pth"}, "weights: nowhere.pth"),
        "both": ({"weights": "a.pth", "pretrained": True}, "weights: a file, or pretrained"),
        "rate": ({"learning_rate": math.nan}, "learning_rate: nan must be 0 or more"),
        "no rate": ({"learning_rate": 0.0}, "learning_rate: nothing is trained"),
        "classes": (
            {"eval_data": str(odd)},
            "it has 3 classes, train_data has 2; on one side only",
        ),
        "no folder": ({"train_data": str(shapes / "nowhere")}, "nowhere"),
    }


@pytest.mark.parametrize("fault", faults(Path()))
def test_what_cannot_be_trained_with_exits_64_and_is_named(tmp_path, shapes, fault):
    """No other attempt would end otherwise."""
    for name in ("bright", "dark", "dusky"):
        (shapes / "odd" / name).mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4)).save(shapes / "odd" / name / "0.png")
    changed, words = faults(shapes)[fault]
    given = {**RESNET, **folders(shapes, "train"), **changed}
    trial = run("image-classifier", Recorded(tmp_path, given))
    assert trial.exit_code == 64
    assert words in trial.result["message"]


@pytest.mark.parametrize("workers", [0, 1])
def test_an_image_that_cannot_be_read_exits_64_and_is_named(tmp_path, shapes, workers):
    """Wherever it is read: here, or in a process beside."""
    root = tmp_path / "data"
    for name in ("a", "b"):
        (root / name).mkdir(parents=True)
        for index in range(4):
            Image.new("L", (4, 4)).save(root / name / f"{index}.png")
    (root / "a" / "2.png").write_bytes(b"no image")
    given = {**RESNET, "train_data": str(root), "batch_size": 8, "data_workers": workers}
    trial = run("image-classifier", Recorded(tmp_path, given))
    assert trial.exit_code == 64
    assert "2.png: no image that can be read" in trial.result["message"]


def test_a_rate_that_breaks_the_model_ends_as_diverged(tmp_path, shapes):
    """Nothing finite comes any more: its objective is NaN, and no step was made on NaN."""
    given = {**RESNET, **folders(shapes, "train"), "learning_rate": 1e30, "epochs": 6}
    trial = run("image-classifier", Recorded(tmp_path, {**given, "batch_size": 4}))
    assert math.isnan(trial.values("eval_loss")[-1])


def test_memory_that_cannot_be_had_exits_70(tmp_path, shapes):
    """With what was asked for."""
    given = {**RESNET, **folders(shapes, "train"), "model_options": '{"in_chans": 1000000000000}'}
    trial = run("image-classifier", Recorded(tmp_path, given))
    assert trial.exit_code == 70
    assert trial.result["reason"] == "OutOfMemory"
    assert "loading model and data" in trial.result["message"]
