"""Pictures with captions, and the sizes that they are trained at."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.images import files

SPLIT_SEED = 20_210_815
EVALUATION_SHARE = 0.1


@dataclass(frozen=True, slots=True)
class Size:
    """Pixels."""

    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Picture:
    """A file, its caption, and the size that it is trained at."""

    path: Path
    caption: str
    size: Size

    def pixels(self) -> torch.Tensor:
        """Channels x height x width from -1 to 1: scaled to cover the size, cut in the middle.

        Raises:
            BadConfiguration: the file cannot be read.
        """
        image = files.read(self.path)
        scale = max(self.size.width / image.width, self.size.height / image.height)
        covering = math.ceil(image.width * scale), math.ceil(image.height * scale)
        image = image.resize(covering, Image.Resampling.LANCZOS)
        left, top = (image.width - self.size.width) // 2, (image.height - self.size.height) // 2
        image = image.crop((left, top, left + self.size.width, top + self.size.height))
        array = np.asarray(image, dtype=np.float32) / 127.5 - 1.0
        return torch.from_numpy(array).permute(2, 0, 1).contiguous()


def read(folder: Path, resolution: int, step: int) -> list[Picture]:
    """The pictures of a folder, each with its caption in a text file of the same name.

    Raises:
        BadConfiguration: all captions that are missing or empty, or there is no picture.
    """
    try:
        found = files.pictures(folder.iterdir())
    except OSError as error:
        raise BadConfiguration(f"{folder}: {error}") from None
    if not found:
        raise BadConfiguration(f"{folder}: no picture in it")
    captions = {file: _caption(file.with_suffix(".txt")) for file in found}
    bare = [file.with_suffix(".txt").name for file, caption in captions.items() if not caption]
    if bare:
        shown = ", ".join(bare[:5]) + (f" and {len(bare) - 5} more" if len(bare) > 5 else "")  # noqa: PLR2004
        raise BadConfiguration(f"{folder}: a caption is missing or empty: {shown}")
    sizes = buckets(resolution, step)
    return [
        Picture(file, captions[file], nearest(Size(*files.size(file)), sizes)) for file in found
    ]


def buckets(resolution: int, step: int) -> tuple[Size, ...]:
    """All sizes of whole steps whose area is at most that of a square of `resolution` pixels.

    Of each width from half to double the resolution the highest one, and each of them lying, as
    kohya's scripts have it.

    Raises:
        BadConfiguration: the resolution is less than a step.
    """
    square = resolution // step * step
    if not square:
        words = f"{resolution} is too small for this model, write {step} or more"
        raise BadConfiguration(f"resolution: {words}")
    least, most = max(step, round(resolution / 2 / step) * step), 2 * resolution
    found = {Size(square, square)}
    for width in range(least, most + 1, step):
        height = min(resolution * resolution // width, most) // step * step
        if height >= least:
            found |= {Size(width, height), Size(height, width)}
    return tuple(sorted(found, key=lambda size: (size.width, size.height)))


def nearest(size: Size, sizes: Sequence[Size]) -> Size:
    """The size of the most similar shape; of equal ones the largest."""

    def unlike(other: Size) -> tuple[float, int]:
        ratio = math.log(other.width / other.height) - math.log(size.width / size.height)
        return round(abs(ratio), 9), -other.width * other.height

    return min(sizes, key=unlike)


def split(pictures: Sequence[Picture]) -> tuple[list[Picture], list[Picture]]:
    """To train with, and a tenth to compare trials by, at least one: always the same ones.

    Raises:
        BadConfiguration: there is only one picture.
    """
    if len(pictures) < 2:  # noqa: PLR2004 - one for each side
        raise BadConfiguration("train_data: two pictures at least are needed to set one apart")
    order = np.random.default_rng(SPLIT_SEED).permutation(len(pictures)).tolist()
    size = max(1, round(len(pictures) * EVALUATION_SHARE))
    return [pictures[i] for i in sorted(order[size:])], [pictures[i] for i in sorted(order[:size])]


def bins(pictures: Sequence[Picture]) -> tuple[int, ...]:
    """The number of each picture's size: a batch has pictures of one size only."""
    sizes = sorted({(picture.size.width, picture.size.height) for picture in pictures})
    return tuple(sizes.index((picture.size.width, picture.size.height)) for picture in pictures)


def _caption(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
