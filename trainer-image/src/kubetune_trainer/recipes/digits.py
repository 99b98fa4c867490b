"""A small network learns to read handwritten digits.

The data are the 1,797 images of 8 x 8 pixels that come with scikit-learn. They are split once and
for all, whatever the seed: three fifths to train with, one fifth to compare trials by (the
search sees its accuracy, so it is no longer a fair measure afterwards), one fifth held back for
the end. An epoch shows every training image several times, each time moved by up to a pixel.

Written in NumPy: two layers of weights, softmax, momentum or Adam.
"""

import gzip
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kubetune_trainer import Trial
from kubetune_trainer.main import run

Array: TypeAlias = NDArray[np.float32]
Weights: TypeAlias = dict[str, Array]

SPLIT_SEED = 1797
SIDE = 8
CLASSES = 10
VIEWS = 20
"""How often an epoch shows each training image."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What may be tuned. `momentum` is for the optimizer of that name; the others ignore it."""

    epochs: int = 16
    learning_rate: float = 0.05
    schedule: Literal["constant", "cosine"] = "cosine"
    optimizer: Literal["sgd", "momentum", "adam"] = "momentum"
    momentum: float = 0.9
    batch_size: int = 32
    hidden_units: int = 128
    l2: float = 1e-4

    def __post_init__(self) -> None:
        """Refuses what cannot be trained with.

        Raises:
            ValueError: the message names the field and what it may be.
        """
        for name in ("epochs", "batch_size", "hidden_units"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)} is too small, write 1 or more")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate: {self.learning_rate} must be greater than 0")
        if not 0 <= self.momentum < 1:
            raise ValueError(f"momentum: {self.momentum} must be from 0 to less than 1")
        if not self.l2 >= 0:
            raise ValueError(f"l2: {self.l2} must be 0 or more")


@dataclass(frozen=True, slots=True)
class Images:
    """Rows of 64 pixels in 0..1 and the digit each one shows."""

    pixels: Array
    digits: NDArray[np.intp]


@dataclass(slots=True)
class Model:
    """All that training changes. `best` are the weights of the best epoch by validation."""

    weights: Weights
    slots: Weights
    updates: int
    best: Weights
    best_accuracy: float
    best_epoch: int


def train(trial: Trial) -> None:
    """Trains one configuration and reports every epoch."""
    config = trial.parameters_as(Config)
    train_set, validation_set, test_set = load()
    model = restore(trial.resumed_from) if trial.resumed_from else initial(config, trial.seed)
    for epoch in trial.steps(config.epochs):
        began = time.perf_counter()
        rate = learning_rate(config, epoch)
        rng = np.random.default_rng([trial.seed, epoch])
        train_loss = run_epoch(model, config, rate, train_set, rng)
        loss, accuracy = evaluate(model.weights, validation_set)
        if accuracy > model.best_accuracy:
            model.best = {name: value.copy() for name, value in model.weights.items()}
            model.best_accuracy, model.best_epoch = accuracy, epoch
        trial.report(
            train_loss=train_loss,
            validation_loss=loss,
            validation_accuracy=accuracy,
            learning_rate=rate,
            seconds=time.perf_counter() - began,
        )
        if not np.isfinite(train_loss + loss):
            print("The loss is no longer finite; training ends here.")  # noqa: T201 - a recipe's output
            break
        trial.save(lambda folder: store(model, folder))
    if trial.stage == "heldout" and model.best_epoch and not trial.should_stop:
        _, accuracy = evaluate(model.best, test_set)
        trial.report(test_accuracy=accuracy)
        print(  # noqa: T201 - a recipe's output
            f"Held-back accuracy: {accuracy:.4f} on {len(test_set.digits)} images that neither "
            f"training nor tuning has seen, with the weights of epoch {model.best_epoch} "
            f"(validation accuracy {model.best_accuracy:.4f})."
        )


def load() -> tuple[Images, Images, Images]:
    """Training, validation and held-back images, always the same ones.

    The file is read where scikit-learn keeps it: importing scikit-learn would take a second.
    """
    spec = find_spec("sklearn")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError("the digits recipe reads its data from scikit-learn: install it")
    path = Path(spec.submodule_search_locations[0]) / "datasets" / "data" / "digits.csv.gz"
    with gzip.open(path, "rt") as file:
        rows = np.loadtxt(file, delimiter=",", dtype=np.float32)
    rows = rows[np.random.default_rng(SPLIT_SEED).permutation(len(rows))]
    images = Images(rows[:, :-1] / np.float32(16), rows[:, -1].astype(np.intp))
    fifth = len(rows) // 5
    cuts = slice(2 * fifth, None), slice(fifth, 2 * fifth), slice(0, fifth)
    first, second, third = (Images(images.pixels[cut], images.digits[cut]) for cut in cuts)
    return first, second, third


def initial(config: Config, seed: int) -> Model:
    """A new network, scaled for ReLU (He et al. 2015)."""
    rng = np.random.default_rng([seed, 0])
    sizes = SIDE * SIDE, config.hidden_units, CLASSES
    weights: Weights = {}
    for layer, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
        scale = np.sqrt(2 / inputs)
        weights[f"w{layer}"] = (rng.standard_normal((inputs, outputs)) * scale).astype(np.float32)
        weights[f"b{layer}"] = np.zeros(outputs, dtype=np.float32)
    slots = {
        f"{kind}_{name}": np.zeros_like(value)
        for name, value in weights.items()
        for kind in ("mean", "square")
    }
    best = {name: value.copy() for name, value in weights.items()}
    return Model(weights, slots, updates=0, best=best, best_accuracy=-1.0, best_epoch=0)


def learning_rate(config: Config, epoch: int) -> float:
    """The rate of an epoch, counted from 1; cosine falls from the full rate towards 0."""
    if config.schedule == "constant":
        return config.learning_rate
    return float(config.learning_rate * (1 + np.cos(np.pi * (epoch - 1) / config.epochs)) / 2)


def run_epoch(
    model: Model, config: Config, rate: float, images: Images, rng: np.random.Generator
) -> float:
    """One epoch; the mean loss over it, or the first that is not finite: no update follows it."""
    losses = []
    with np.errstate(all="ignore"):
        for _ in range(VIEWS):
            order = rng.permutation(len(images.digits))
            for start in range(0, len(order), config.batch_size):
                rows = order[start : start + config.batch_size]
                loss, gradients = backward(
                    model.weights, moved(images.pixels[rows], rng), images.digits[rows]
                )
                if not np.isfinite(loss):
                    return loss
                losses.append(loss)
                update(model, gradients, config, rate)
    return float(np.mean(losses))


def moved(pixels: Array, rng: np.random.Generator) -> Array:
    """The images, each moved by up to one pixel; empty pixels follow."""
    images = np.pad(pixels.reshape(-1, SIDE, SIDE), ((0, 0), (1, 1), (1, 1)))
    first = rng.integers(0, 3, size=(2, len(images), 1))
    down, right = first + np.arange(SIDE)
    each = np.arange(len(images))[:, None, None]
    shifted: Array = images[each, down[:, :, None], right[:, None, :]]
    return shifted.reshape(len(images), -1)


def forward(weights: Weights, pixels: Array) -> tuple[Array, Array]:
    """Hidden activations and the logarithm of the probability of each digit."""
    hidden = np.maximum(pixels @ weights["w1"] + weights["b1"], 0)
    scores = hidden @ weights["w2"] + weights["b2"]
    scores -= scores.max(axis=1, keepdims=True)
    return hidden, scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def backward(weights: Weights, pixels: Array, digits: NDArray[np.intp]) -> tuple[float, Weights]:
    """The batch's mean cross-entropy and its gradients."""
    hidden, log_probability = forward(weights, pixels)
    rows = np.arange(len(digits))
    loss = float(-log_probability[rows, digits].mean())
    error = np.exp(log_probability)
    error[rows, digits] -= 1
    error /= len(digits)
    inner = (error @ weights["w2"].T) * (hidden > 0)
    return loss, {
        "w1": pixels.T @ inner,
        "b1": inner.sum(axis=0),
        "w2": hidden.T @ error,
        "b2": error.sum(axis=0),
    }


def update(model: Model, gradients: Mapping[str, Array], config: Config, rate: float) -> None:
    """One step of the optimizer, in place; `l2` is decoupled decay (Loshchilov, Hutter 2019)."""
    model.updates += 1
    for name, gradient in gradients.items():
        weight, mean = model.weights[name], model.slots[f"mean_{name}"]
        if config.optimizer == "adam":
            square = model.slots[f"square_{name}"]
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient**2 - square)
            corrected = mean / (1 - 0.9**model.updates)
            step = corrected / (np.sqrt(square / (1 - 0.999**model.updates)) + 1e-8)
        else:
            mean *= config.momentum if config.optimizer == "momentum" else 0.0
            mean += gradient
            step = mean
        weight -= rate * (step + config.l2 * weight)


def evaluate(weights: Weights, images: Images) -> tuple[float, float]:
    """Mean loss and share of digits read correctly; both NaN when the network gives no numbers."""
    with np.errstate(all="ignore"):
        _, log_probability = forward(weights, images.pixels)
    if not np.isfinite(log_probability).all():
        return float("nan"), float("nan")
    loss = -log_probability[np.arange(len(images.digits)), images.digits].mean()
    return float(loss), float((log_probability.argmax(axis=1) == images.digits).mean())


def store(model: Model, folder: Path) -> None:
    """Writes everything that training goes on from."""
    arrays: dict[str, NDArray[np.generic]] = {
        "updates": np.array(model.updates),
        "best_accuracy": np.array(model.best_accuracy),
        "best_epoch": np.array(model.best_epoch),
    }
    for group, values in (("w", model.weights), ("s", model.slots), ("b", model.best)):
        arrays |= {f"{group}/{name}": value for name, value in values.items()}
    with (folder / "model.npz").open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]  # the names hold no flag of savez


def restore(folder: Path) -> Model:
    """Reads what `store` wrote."""
    with np.load(folder / "model.npz") as file:
        groups: dict[str, Weights] = {"w": {}, "s": {}, "b": {}}
        for key in file.files:
            group, _, name = key.partition("/")
            if name:
                groups[group][name] = file[key]
        return Model(
            weights=groups["w"],
            slots=groups["s"],
            updates=int(file["updates"]),
            best=groups["b"],
            best_accuracy=float(file["best_accuracy"]),
            best_epoch=int(file["best_epoch"]),
        )


if __name__ == "__main__":
    run(train)
