"""The digits recipe."""

import os
import signal

import numpy as np
import pytest

from kubetune_trainer import Trial
from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.parameters import bind
from kubetune_trainer.recipes import digits
from kubetune_trainer.recipes.digits import Config

PARAMETERS = {"epochs": 4, "hidden_units": 16, "batch_size": 64}


@pytest.fixture(autouse=True)
def few_views(monkeypatch):
    """One view of each image an epoch: the same code, twenty times faster."""
    monkeypatch.setattr(digits, "VIEWS", 1)


def curves(out):
    """What was printed for each epoch, but for the time it took."""
    lines = [line.split() for line in out.splitlines() if line.startswith("step")]
    return [[word for word in line if "seconds" not in word][:-1] for line in lines]


def run(environ, stage="search", **parameters):
    with Trial.from_environment(environ) as trial:
        if not environ:
            trial.override(PARAMETERS | parameters, stage=stage)
        digits.train(trial)


def test_split_is_honest():
    """The three sets share no image, are all of the data, and are the same every time."""
    first, again = digits.load(), digits.load()
    sizes = [len(images.digits) for images in first]
    assert sizes == [1079, 359, 359]
    assert all(np.array_equal(a.pixels, b.pixels) for a, b in zip(first, again, strict=True))
    rows = {images.pixels[row].tobytes() for images in first for row in range(len(images.pixels))}
    assert len(rows) == sum(sizes)


def test_gradients():
    """The gradients are the slopes of the loss."""
    rng = np.random.default_rng(0)
    model = digits.initial(Config(hidden_units=5), seed=1)
    weights = {name: value.astype(np.float64) for name, value in model.weights.items()}
    pixels, truth = rng.random((7, 64)), rng.integers(0, 10, 7)
    _, gradients = digits.backward(weights, pixels, truth)
    for name, place in (("w1", (30, 2)), ("b1", (3,)), ("w2", (4, 9)), ("b2", (0,))):
        ends = []
        for step in (1e-6, -1e-6):
            moved = weights[name].copy()
            moved[place] += step
            ends.append(digits.backward(weights | {name: moved}, pixels, truth)[0])
        assert gradients[name][place] == pytest.approx((ends[0] - ends[1]) / 2e-6, abs=1e-7)


def test_moved_images_lose_nothing_inside():
    """A view is the image moved by up to a pixel each way, and empty where nothing was."""
    image = np.zeros((200, 8, 8), dtype=np.float32)
    image[:, 4, 4] = 1
    places = {
        tuple(np.argwhere(view)[0] - 4)
        for view in digits.moved(image.reshape(200, -1), np.random.default_rng(0)).reshape(-1, 8, 8)
    }
    assert places == {(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)}


@pytest.mark.parametrize(("optimizer", "rate"), [("sgd", 0.3), ("momentum", 0.1), ("adam", 0.01)])
def test_learns(capsys, optimizer, rate):
    """Each optimizer learns: the loss falls well below guessing."""
    run({}, optimizer=optimizer, learning_rate=rate, batch_size=16)
    losses = [float(line[3]) for line in curves(capsys.readouterr().out)]
    assert losses[-1] < min(losses[0], np.log(10) / 1.5)


def test_divergence_is_reported(capsys):
    """A loss that is no number is reported as it is and ends the training."""
    run({}, learning_rate=1e30, schedule="constant")
    out = capsys.readouterr().out
    assert "train_loss nan" in out
    assert "validation_accuracy nan" in out
    assert "no longer finite" in out


def test_resume_is_exact(study, capsys, monkeypatch):
    """Stopped after two epochs and gone on, a trial has the same curve to the last bit."""
    run(study.environ(parameters=PARAMETERS))
    whole, whole_result = curves(capsys.readouterr().out), study.result
    store = digits.store

    def stop_at_two(model, folder):
        store(model, folder)
        if model.updates == 2 * 17:
            os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(digits, "store", stop_at_two)
    with pytest.raises(SystemExit) as ending:
        run(study.environ(parameters=PARAMETERS))
    assert ending.value.code == 143
    assert study.result["step"] == 2
    run(study.environ(parameters=PARAMETERS, attempt=2, resume=True))
    assert curves(capsys.readouterr().out) == whole
    assert study.result["curve"] == whole_result["curve"]
    assert study.result["metrics"]["train_loss"] == whole_result["metrics"]["train_loss"]
    assert study.result["metrics"]["validation_loss"] == whole_result["metrics"]["validation_loss"]


def test_same_seed_same_curve(capsys):
    """A seed gives one curve."""
    run({})
    run({})
    lines = curves(capsys.readouterr().out)
    assert lines[:4] == lines[4:]


def test_held_back_only_at_the_end(capsys):
    """The search never sees the held-back images; the end prints what they say, as a sentence."""
    run({})
    assert "test_accuracy" not in capsys.readouterr().out
    run({}, stage="heldout")
    out = capsys.readouterr().out
    assert "test_accuracy" in out
    assert "Held-back accuracy: 0." in out
    assert "on 359 images that neither training nor tuning has seen" in out


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"epochs": 0}, "epochs: 0 is too small, write 1 or more"),
        ({"batch_size": 0}, "batch_size: 0 is too small, write 1 or more"),
        ({"learning_rate": 0.0}, "learning_rate: 0.0 must be greater than 0"),
        ({"momentum": 1.0}, "momentum: 1.0 must be from 0 to less than 1"),
        ({"l2": -1.0}, "l2: -1.0 must be 0 or more"),
        ({"optimizer": "lion"}, "optimizer: 'lion' is wrong, write one of sgd, momentum, adam"),
    ],
)
def test_refused(values, message):
    """What cannot be trained with is refused by name."""
    with pytest.raises(BadConfiguration) as refused:
        bind(Config, values)
    assert str(refused.value) == message
