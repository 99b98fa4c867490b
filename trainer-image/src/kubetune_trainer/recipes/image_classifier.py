"""An image classifier: any model of timm, from pretrained weights, from a file or from nothing.

The data are a folder with one folder of images for each class, or `digits`. Without `eval_data` a
fifth of each class is set apart, the same one for every trial of a study; `test_data` is opened in
the held-out stage alone. With lr_scheduler `one_cycle` the rate climbs to `peak_ratio` times
`learning_rate` and falls to `final_ratio` times it (Smith, Topin 2018).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from kubetune_trainer import Trial
from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.images import labelled, models
from kubetune_trainer.images.classification import Confusion
from kubetune_trainer.images.labelled import Labelled
from kubetune_trainer.main import run
from kubetune_trainer.training import seeds
from kubetune_trainer.training.built import Built, Judged
from kubetune_trainer.training.config import TrainingConfig
from kubetune_trainer.training.devices import Device
from kubetune_trainer.training.fit import fit
from kubetune_trainer.training.loading import in_own_words
from kubetune_trainer.training.optimizers import Group
from kubetune_trainer.training.schedules import OneCycle, SchedulerType
from kubetune_trainer.training.task import Batch

JUDGED = Judged(
    watched="eval_macro_f1",
    known=("eval_macro_f1", "eval_accuracy", "eval_loss"),
    higher=("eval_macro_f1", "eval_accuracy"),
    unit="images",
)

PLAIN = {
    "drop_rate": 0.0,
    "drop_path_rate": 0.0,
    "label_smoothing": 0.0,
    "crop_scale": 1.0,
    "flip": 0.0,
    "erase": 0.0,
    "auto_augment": "",
    "weight_decay": 0.0,
}
"""What keeps a model from learning by heart, switched off."""


@dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    """What may be tuned, beside what every training has.

    `model` is timm's name of it; `model_options` a JSON object of more that it takes. Its weights
    are timm's own if `pretrained`, or those of the file `weights`, whose last layer is left out
    where it has other classes. Images have `image_size` pixels a side, 0 for the model's own size.
    The ratios are those of `one_cycle`. Training images are cropped
    to `crop_scale` of their area or more, flipped with the chance `flip`, changed by timm's
    `auto_augment` policy, such as rand-m9-mstd0.5, and partly erased with the chance `erase`.
    """

    model: str
    train_data: str
    eval_data: str = ""
    test_data: str = ""
    pretrained: bool = False
    weights: str = ""
    model_options: str = "{}"
    image_size: int = 0
    lr_scheduler: SchedulerType = "one_cycle"
    peak_ratio: float = 8.0
    pct_start: float = 0.2
    div_factor: float = 20.0
    final_ratio: float = 1e-4
    drop_rate: float = 0.0
    drop_path_rate: float = 0.0
    label_smoothing: float = 0.0
    crop_scale: float = 1.0
    flip: float = 0.0
    erase: float = 0.0
    auto_augment: str = ""
    eval_batch_size: int = 64

    POSITIVE: ClassVar[tuple[str, ...]] = (*TrainingConfig.POSITIVE, "eval_batch_size")
    NOT_NEGATIVE: ClassVar[tuple[str, ...]] = (*TrainingConfig.NOT_NEGATIVE, "image_size")
    SHARES: ClassVar[tuple[str, ...]] = (
        *TrainingConfig.SHARES,
        "drop_rate",
        "drop_path_rate",
        "label_smoothing",
    )

    def faults(self) -> list[str]:
        """What is wrong, a sentence for each field."""
        found = TrainingConfig.faults(self)
        for name in ("peak_ratio", "div_factor", "final_ratio", "crop_scale", "pct_start"):
            if not getattr(self, name) > 0:
                found.append(f"{name}: {getattr(self, name)} must be greater than 0")
        for name in ("pct_start", "crop_scale", "flip", "erase"):
            if not getattr(self, name) <= 1:
                found.append(f"{name}: {getattr(self, name)} must be at most 1")
        try:
            models.options(self.model_options)
        except ValueError as error:
            found.append(f"model_options: {self.model_options}: {error}")
        if self.pretrained and self.weights:
            found.append("weights: a file, or pretrained, not both")
        return found


@dataclass(frozen=True, slots=True)
class Data:
    """Images to train with, to compare trials by, and held back; the last only when asked for."""

    train: Labelled
    evaluation: Labelled
    test: Callable[[], Labelled] | None


@dataclass(frozen=True, slots=True)
class Views:
    """How an image becomes the model's input: in training with chance, else without.

    `size` is that of the input: channels, height and width.
    """

    training: Callable[[Any], torch.Tensor]
    plain: Callable[[Any], torch.Tensor]
    size: tuple[int, int, int]


class Shown(Dataset[tuple[torch.Tensor, int]]):
    """Images as the model sees them, each with its class."""

    def __init__(self, images: Labelled, view: Callable[[Any], torch.Tensor]) -> None:
        self._images, self._view = images, view

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        if index >= len(self):
            raise IndexError(index)
        return self._view(self._images.read(index)), self._images.labels[index]


def train(trial: Trial) -> None:
    """Trains one configuration and reports every epoch."""
    fit(trial, Config, build)


def build(config: Config, seed: int, device: Device, artifacts: Path | None) -> Built:
    """The model and its data; random weights follow from torch's generator, as it was seeded."""
    del artifacts
    data = load_data(config)
    model = load(config, data.train.classes).to(device.torch_device)
    task = ClassesTask(model, data, views(model, config), config, device, seed=seed)
    cycle = OneCycle(
        peak_ratio=config.peak_ratio,
        warmup_share=config.pct_start,
        start_divisor=config.div_factor,
        end_ratio=config.final_ratio,
    )
    return Built(task=task, groups=tuple(groups(model, config)), judged=JUDGED, one_cycle=cycle)


def load_data(config: Config) -> Data:
    """Lists the images; none is read yet.

    Raises:
        BadConfiguration: what is wrong with the folders.
    """
    if config.train_data == labelled.DIGITS:
        first, second, third = labelled.digits()
        return Data(first, second, lambda: third)
    found = labelled.folder(Path(config.train_data))
    if config.eval_data:
        apart = _alike(found, labelled.folder(Path(config.eval_data)), "eval_data")
    else:
        found, apart = labelled.split(found)
    test = None
    if config.test_data:

        def test() -> Labelled:
            return _alike(found, labelled.folder(Path(config.test_data)), "test_data")

    return Data(found, apart, test)


def _alike(known: Labelled, other: Labelled, field: str) -> Labelled:
    """The others, if their classes are the known ones.

    Raises:
        BadConfiguration: with the classes that are on one side only.
    """
    if other.classes != known.classes:
        odd = sorted(set(other.classes) ^ set(known.classes))
        words = f"it has {len(other.classes)} classes, train_data has {len(known.classes)}"
        raise BadConfiguration(f"{field}: {words}; on one side only: {', '.join(odd)}")
    return other


def load(config: Config, classes: Sequence[str]) -> nn.Module:
    """The model, with as many outputs as there are classes.

    Raises:
        BadConfiguration: timm has no such model, or the weights do not fit it.
    """
    options = {
        "drop_rate": config.drop_rate or None,
        "drop_path_rate": config.drop_path_rate or None,
        **models.options(config.model_options),
    }
    model = models.create(config.model, len(classes), options, pretrained=config.pretrained)
    source = Path(config.weights)
    weights = models.read_weights(source) if config.weights else None
    models.prepare(model, config.image_size, weights, source)
    return model


def views(model: nn.Module, config: Config) -> Views:
    """The transforms of timm, for this model's size, mean and spread.

    Raises:
        BadConfiguration: timm has no such policy of augmentation.
    """
    from timm.data import create_transform, resolve_model_data_config  # noqa: PLC0415 - seconds

    size = {"img_size": config.image_size} if config.image_size else {}
    about = resolve_model_data_config(model, args=size)
    common = {name: about[name] for name in ("input_size", "mean", "std", "interpolation")}
    try:
        training = create_transform(
            **common,
            is_training=True,
            scale=(config.crop_scale, 1.0),
            hflip=config.flip,
            color_jitter=0.0,
            auto_augment=config.auto_augment or None,
            re_prob=config.erase,
        )
    except (AssertionError, KeyError, ValueError) as error:
        raise BadConfiguration(f"auto_augment: {config.auto_augment}: no such policy") from error
    plain = create_transform(**common, is_training=False, crop_pct=1.0)
    return Views(training, plain, about["input_size"])


def groups(model: nn.Module, config: Config) -> list[Group]:
    """All weights; biases and norms, and what the model names, do not decay."""
    from timm.optim import param_groups_weight_decay  # noqa: PLC0415 - seconds

    exempt: set[str] = getattr(model, "no_weight_decay", set)()
    return [
        Group(
            name="model",
            parameters=group["params"],
            learning_rate=config.learning_rate,
            weight_decay=group["weight_decay"],
        )
        for group in param_groups_weight_decay(
            model, weight_decay=config.weight_decay, no_weight_decay_list=exempt
        )
    ]


class ClassesTask:
    """The loop's view of a classifier and its images."""

    def __init__(
        self,
        model: nn.Module,
        data: Data,
        shown: Views,
        config: Config,
        device: Device,
        *,
        seed: int,
    ) -> None:
        self.module = model
        self.counters = {"right": 0.0, "seen": 0.0}
        self._data, self._views, self._config = data, shown, config
        self._device = device
        self._seed = seed

    @property
    def length(self) -> int:
        """Images to train with."""
        return len(self._data.train)

    def collate(self, examples: Sequence[tuple[int, int]]) -> Batch:
        """Images, changed by chance, and their classes."""
        first, epoch = examples[0]
        drawn = np.random.SeedSequence([self._seed, epoch, first]).generate_state(1)[0]
        with seeds.aside(int(drawn)):
            images = [self._views.training(self._data.train.read(index)) for index, _ in examples]
        labels = [self._data.train.labels[index] for index, _ in examples]
        return {"images": torch.stack(images), "labels": torch.tensor(labels)}

    def targets(self, batch: Batch) -> float:
        """Images."""
        return float(len(batch["labels"]))

    def loss(self, module: nn.Module, batch: Batch) -> torch.Tensor:
        """Cross-entropy with label smoothing, summed; counts what was right."""
        scores = module(batch["images"]).float()
        labels = batch["labels"]
        self.counters["right"] += float((scores.detach().argmax(dim=1) == labels).sum())
        self.counters["seen"] += len(labels)
        return functional.cross_entropy(
            scores, labels, label_smoothing=self._config.label_smoothing, reduction="sum"
        )

    def evaluate(self, stop: Callable[[], bool]) -> Mapping[str, float] | None:
        """On the images set apart, and the accuracy of the training since the last time.

        `accuracy_gap` is how much better the training images are told apart; augmentation and
        dropout make it small or negative.
        """
        measured = self._measured(self._data.evaluation, stop)
        if measured is None:
            return None
        metrics = {f"eval_{name}": value for name, value in measured.items()}
        if self.counters["seen"]:
            accuracy = self.counters["right"] / self.counters["seen"]
            metrics["train_accuracy"] = accuracy
            metrics["accuracy_gap"] = accuracy - metrics["eval_accuracy"]
            self.counters = dict.fromkeys(self.counters, 0.0)
        return metrics

    def test(self, stop: Callable[[], bool]) -> Mapping[str, float] | None:
        """The same measures on held-back images."""
        if self._data.test is None:
            return {}
        measured = self._measured(self._data.test(), stop)
        if measured is None:
            return None
        return {f"test_{name}": value for name, value in measured.items()}

    def keep(self, folder: Path) -> None:
        """Weights for timm, and what the classes are called."""
        models.keep(self.module, folder, self._data.train.classes, self._views.size)

    def _measured(self, images: Labelled, stop: Callable[[], bool]) -> dict[str, float] | None:
        confusion, total = Confusion(len(images.classes)), 0.0
        shown = DataLoader(
            Shown(images, self._views.plain),
            batch_size=self._config.eval_batch_size,
            num_workers=self._config.data_workers,
        )
        with torch.inference_mode(), self._device.autocast(), in_own_words():
            for pixels, labels in shown:
                if stop():
                    return None
                scores = self.module(pixels.to(self._device.torch_device)).float().cpu()
                total += float(functional.cross_entropy(scores, labels, reduction="sum"))
                confusion.saw(labels.numpy(), scores.argmax(dim=1).numpy())
        return {
            "loss": total / len(images),
            "accuracy": confusion.accuracy,
            "macro_f1": confusion.macro_f1,
        }


if __name__ == "__main__":
    run(train)
