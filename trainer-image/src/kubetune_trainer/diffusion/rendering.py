"""Pictures rendered from fixed prompts and seeds, and a sheet of them to look at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from kubetune_trainer.diffusion.base import Base

MARGIN, LINE, FONT = 8, 18, 14
LARGEST, NARROWEST = 512, 240


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is rendered at each evaluation: every prompt with every seed.

    `size` are pixels of width and height; `steps` those of the sampler.
    """

    prompts: tuple[str, ...]
    seeds: tuple[int, ...]
    size: tuple[int, int]
    steps: int
    guidance: float


@dataclass(frozen=True, slots=True)
class Rendered:
    """Pictures of height x width x channels, 0 to 1, by prompt and then by seed.

    `finite` says of each whether the decoder gave numbers; the others are black.
    """

    scene: Scene
    pictures: NDArray[np.float32]
    finite: NDArray[np.bool_]

    @property
    def prompts(self) -> list[str]:
        """The prompt of each picture."""
        return [prompt for prompt in self.scene.prompts for _ in self.scene.seeds]


def render(base: Base, scene: Scene, stop: Callable[[], bool]) -> Rendered | None:
    """Renders a scene, one picture at a time; None when it was told to stop and broke off."""
    pictures, finite = [], []
    for prompt in scene.prompts:
        for seed in scene.seeds:
            if stop():
                return None
            decoded = base.pixels(_sampled(base, scene, prompt, seed))[0].cpu()
            finite.append(bool(torch.isfinite(decoded).all()))
            shown = (decoded.nan_to_num(-1.0, -1.0, -1.0) / 2 + 0.5).clamp(0, 1)
            pictures.append(shown.permute(1, 2, 0).numpy())
    return Rendered(scene, np.stack(pictures), np.array(finite))


def sheet(rendered: Rendered) -> Image.Image:
    """All pictures of a scene: a row for each prompt, which is written above it.

    Each is at most `LARGEST` pixels a side; of a prompt at most two lines are written.
    """
    pictures, scene = rendered.pictures, rendered.scene
    _, height, width, _ = pictures.shape
    scale = min(1.0, LARGEST / max(height, width))
    width, height = round(width * scale), round(height * scale)
    columns = len(scene.seeds)
    page_width = max(columns * (width + MARGIN) + MARGIN, NARROWEST)
    row = 2 * LINE + height + MARGIN
    page = Image.new("RGB", (page_width, len(scene.prompts) * row + MARGIN), "white")
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(FONT)
    for index, picture in enumerate(pictures):
        at_row, at_column = divmod(index, columns)
        left, top = MARGIN + at_column * (width + MARGIN), MARGIN + at_row * row
        if at_column == 0:
            lines = wrapped(scene.prompts[at_row], page_width - 2 * MARGIN, font.getlength)
            for number, line in enumerate(lines, start=2 - len(lines)):
                draw.text((left, top + number * LINE), line, fill="black", font=font)
        shown = Image.fromarray((picture * 255).round().astype(np.uint8))
        page.paste(shown.resize((width, height)), (left, top + 2 * LINE))
    return page


def wrapped(text: str, width: float, measured: Callable[[str], float]) -> list[str]:
    """A text in one or two lines of a width; what is longer ends in three dots."""
    words = text.split()
    lines = [""]
    for index, word in enumerate(words):
        longer = f"{lines[-1]} {word}".strip()
        if measured(longer) <= width:
            lines[-1] = longer
        elif len(lines) == 1 and lines[0]:
            lines.append(word)
        else:
            lines[-1] = " ".join((lines[-1], *words[index:])).strip()
            break
    return [_cut(line, width, measured) for line in lines]


def _cut(line: str, width: float, measured: Callable[[str], float]) -> str:
    if measured(line) <= width:
        return line
    while line and measured(f"{line}...") > width:
        line = line[:-1]
    return f"{line}..."


def save(rendered: Rendered, path: Path) -> None:
    """Writes the sheet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet(rendered).save(path, quality=92)


def _sampled(base: Base, scene: Scene, prompt: str, seed: int) -> torch.Tensor:
    """Latents: noise is drawn on the CPU, so that each device gets the same."""
    width, height = scene.size
    found: Any = base.pipeline(
        prompt,
        num_inference_steps=scene.steps,
        guidance_scale=scene.guidance,
        width=width,
        height=height,
        generator=torch.Generator("cpu").manual_seed(seed),
        output_type="latent",
    ).images
    return torch.as_tensor(found)


def scene_of(prompts: Sequence[str], count: int, size: int, steps: int, guidance: float) -> Scene:
    """A scene of square pictures, `count` of each prompt."""
    return Scene(
        prompts=tuple(prompts),
        seeds=tuple(range(1, count + 1)),
        size=(size, size),
        steps=steps,
        guidance=guidance,
    )
