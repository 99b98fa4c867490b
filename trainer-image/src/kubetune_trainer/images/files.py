"""Picture files, as a person sees them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from kubetune_trainer.exits import BadConfiguration

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".ppm"})

_ORIENTATION = 0x0112
_LYING = frozenset({5, 6, 7, 8})
"""Orientations of a camera that was held upright: width and height change places."""


def pictures(files: Iterator[Path]) -> list[Path]:
    """The picture files among them, in order; names that begin with a dot are none of ours."""
    return sorted(
        file
        for file in files
        if file.suffix.lower() in SUFFIXES and not file.name.startswith(".") and file.is_file()
    )


def read(path: Path) -> Image.Image:
    """A picture as RGB, turned as its camera was held; of 16 bits a channel the upper 8.

    Raises:
        BadConfiguration: it cannot be read, now or at any other attempt.
    """
    with _opened(path) as image:
        upright = ImageOps.exif_transpose(image)
        if upright.mode.startswith("I;16"):
            upright = Image.fromarray((np.asarray(upright) >> 8).astype(np.uint8))
        elif "transparency" in upright.info:
            upright = upright.convert("RGBA")
        return upright.convert("RGB")


def size(path: Path) -> tuple[int, int]:
    """Width and height of what `read` would give, without reading it all.

    Raises:
        BadConfiguration: it cannot be read.
    """
    with _opened(path) as image:
        if image.getexif().get(_ORIENTATION) in _LYING:
            return image.height, image.width
        return image.width, image.height


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    try:
        with Image.open(path) as image:
            yield image
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadConfiguration(f"{path}: no image that can be read: {error}") from None
