"""Pictures rendered from fixed prompts and seeds, and a sheet of them to look at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from kubetune_trainer.diffusion.base import Base

MARGIN, CAPTION = 6, 18


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
            picture = _decoded(base, _sampled(base, scene, prompt, seed))
            finite.append(bool(np.isfinite(picture).all()))
            pictures.append(np.nan_to_num(picture, nan=0.0, posinf=0.0, neginf=0.0))
    return Rendered(scene, np.stack(pictures), np.array(finite))


def sheet(rendered: Rendered) -> Image.Image:
    """All pictures of a scene: a row for each prompt, which is written above it."""
    pictures, scene = rendered.pictures, rendered.scene
    _, height, width, _ = pictures.shape
    columns = len(scene.seeds)
    row = height + CAPTION + MARGIN
    size = columns * (width + MARGIN) + MARGIN, len(scene.prompts) * row + MARGIN
    page = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(page)
    for index, picture in enumerate(pictures):
        at_row, at_column = divmod(index, columns)
        left, top = MARGIN + at_column * (width + MARGIN), MARGIN + at_row * row
        if at_column == 0:
            draw.text((left, top), scene.prompts[at_row], fill="black")
        shown = Image.fromarray((picture * 255).round().astype(np.uint8))
        page.paste(shown, (left, top + CAPTION))
    return page


def save(rendered: Rendered, path: Path) -> None:
    """Writes the sheet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet(rendered).save(path)


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


def _decoded(base: Base, latents: torch.Tensor) -> NDArray[np.float32]:
    """A picture, before anything turns what is no number into black."""
    vae = base.pipeline.vae
    scaled = latents.to(torch.float32) / vae.config.scaling_factor
    with torch.no_grad():
        image = vae.decode(scaled.to(vae.dtype)).sample[0].float()
    shown: NDArray[np.float32] = ((image / 2 + 0.5).clamp(0, 1)).permute(1, 2, 0).cpu().numpy()
    return shown


def scene_of(prompts: Sequence[str], count: int, size: int, steps: int, guidance: float) -> Scene:
    """A scene of square pictures, `count` of each prompt."""
    return Scene(
        prompts=tuple(prompts),
        seeds=tuple(range(1, count + 1)),
        size=(size, size),
        steps=steps,
        guidance=guidance,
    )
