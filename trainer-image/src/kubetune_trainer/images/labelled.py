"""Images with a class each: out of folders, or the digits that come with scikit-learn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.images import files

DIGITS = "digits"
"""In place of a folder: 1,797 images of handwritten digits."""

SPLIT_SEED = 20_120_930
EVALUATION_SHARE = 0.2


@dataclass(frozen=True, slots=True)
class Labelled:
    """Images, read one at a time as RGB, with the index of the class of each."""

    classes: tuple[str, ...]
    labels: tuple[int, ...]
    read: Callable[[int], Image.Image]

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, chosen: Sequence[int]) -> "Labelled":
        """Some of them."""
        return Labelled(
            self.classes,
            tuple(self.labels[index] for index in chosen),
            lambda index: self.read(chosen[index]),
        )


def folder(path: Path) -> Labelled:
    """A folder of folders, one for each class, as torchvision's ImageFolder has it.

    Files and folders whose names begin with a dot are left out.

    Raises:
        BadConfiguration: it is no such folder, there is one class only, or a class has no image.
    """
    try:
        entries = [entry for entry in path.iterdir() if not entry.name.startswith(".")]
    except OSError as error:
        raise BadConfiguration(f"{path}: {error}") from None
    classes = tuple(sorted(entry.name for entry in entries if entry.is_dir()))
    if len(classes) < 2:  # noqa: PLR2004 - one class has nothing to be told from
        words = f"{len(classes)} of at least 2 classes"
        raise BadConfiguration(f"{path}: {words}; write a folder for each, with its images in it")
    found = {name: files.pictures((path / name).rglob("*")) for name in classes}
    if empty := [name for name, images in found.items() if not images]:
        raise BadConfiguration(f"{path}: no image in {', '.join(empty)}")
    paths = [image for images in found.values() for image in images]
    labels = [label for label, name in enumerate(classes) for _ in found[name]]
    return Labelled(classes, tuple(labels), lambda index: files.read(paths[index]))


def digits() -> tuple[Labelled, Labelled, Labelled]:
    """To train with, to compare trials by, and held back; always the same ones."""
    from kubetune_trainer.recipes import digits as recipe  # noqa: PLC0415 - needs scikit-learn

    def labelled(images: recipe.Images) -> Labelled:
        side = recipe.SIDE

        def read(index: int) -> Image.Image:
            pixels = (images.pixels[index].reshape(side, side) * 255).astype(np.uint8)
            return Image.fromarray(pixels).convert("RGB")

        classes = tuple(map(str, range(recipe.CLASSES)))
        return Labelled(classes, tuple(map(int, images.digits)), read)

    first, second, third = recipe.load()
    return labelled(first), labelled(second), labelled(third)


def split(images: Labelled) -> tuple[Labelled, Labelled]:
    """A fifth of each class apart, at least one image: the same ones for every trial.

    Raises:
        BadConfiguration: a class has a single image.
    """
    rng = np.random.default_rng(SPLIT_SEED)
    train: list[int] = []
    apart: list[int] = []
    labels = np.array(images.labels)
    for label, name in enumerate(images.classes):
        members = rng.permutation(np.flatnonzero(labels == label)).tolist()
        if len(members) < 2:  # noqa: PLR2004 - one for each side
            raise BadConfiguration(f"class {name}: two images at least are needed to set one apart")
        size = max(1, round(len(members) * EVALUATION_SHARE))
        apart += members[:size]
        train += members[size:]
    return images.part(sorted(train)), images.part(sorted(apart))
