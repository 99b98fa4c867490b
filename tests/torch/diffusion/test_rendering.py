"""The sheet of rendered pictures, and what is rendered at all."""

import numpy as np
import pytest
import torch

from kubetune_trainer.diffusion import base, rendering
from kubetune_trainer.diffusion.rendering import Rendered, scene_of, sheet, wrapped
from kubetune_trainer.training import devices


def shown(prompts, count, side):
    """A scene of pictures of rising brightness."""
    total = len(prompts) * count
    pictures = np.linspace(0, 0.9, total, dtype=np.float32)[:, None, None, None]
    scene = scene_of(prompts, count, side, 1, 1.0)
    stack = np.broadcast_to(pictures, (total, side, side, 3))
    return Rendered(scene, stack, np.ones(total, bool))


@pytest.mark.parametrize(("side", "cell"), [(64, 64), (1024, 512)])
def test_a_sheet_has_a_row_for_each_prompt_and_a_column_for_each_seed(side, cell):
    """In order, and large pictures smaller: a person looks at them, and disks are finite."""
    found = sheet(shown(["one", "two"], 3, side))
    row, margin = 2 * rendering.LINE + cell + rendering.MARGIN, rendering.MARGIN
    assert found.height == 2 * row + margin
    centres = [
        found.getpixel(
            (margin + x * (cell + margin) + cell // 2, margin + y * row + row - cell // 2 - margin)
        )[0]
        for y in range(2)
        for x in range(3)
    ]
    assert centres == sorted(centres)
    assert centres[0] == 0
    assert centres[-1] == round(0.9 * 255)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("short", ["short"]),
        ("two words here and more", ["two words", "here a..."]),
        ("one three five", ["one three", "five"]),
        ("incomprehensibilities", ["incomp..."]),
        ("a incomprehensibilities", ["a", "incomp..."]),
        ("", [""]),
    ],
)
def test_a_long_prompt_has_two_lines_and_is_cut(text, lines):
    """It stays within the width; nothing is written over a picture."""
    assert wrapped(text, 9, len) == lines


def scene(count=2):
    return scene_of(["a temple in china, red"], count, 64, 2, 3.0)


def test_pictures_follow_from_their_seeds_alone(tiny_sd):
    """Whatever was drawn before, and one at a time or with others."""
    model = base.load(str(tiny_sd), devices.chosen("fp32"))
    first = rendering.render(model, scene(), lambda: False)
    torch.randn(17)
    again = rendering.render(model, scene(3), lambda: False)
    assert np.array_equal(first.pictures, again.pictures[:2])
    assert not np.array_equal(first.pictures[0], first.pictures[1])
    assert first.finite.all()


def test_rendering_breaks_off_between_pictures(tiny_sd):
    """A trial that is told to stop does not render to the end."""
    model = base.load(str(tiny_sd), devices.chosen("fp32"))
    asked = iter([False, True])
    assert rendering.render(model, scene(), lambda: next(asked)) is None


def test_an_autoencoder_without_numbers_gives_black_pictures(tiny_sd):
    """And they are known as such: nothing is cast from NaN, nothing crashes."""
    model = base.load(str(tiny_sd), devices.chosen("fp32"))
    for parameter in model.pipeline.vae.decoder.parameters():
        parameter.data *= 1e12
    found = rendering.render(model, scene(), lambda: False)
    assert not found.finite.any()
    assert np.isfinite(found.pictures).all()


def test_the_autoencoder_stays_precise_within_a_lower_precision(tiny_sd):
    """XL's overflows in half precision: a block of autocast does not reach it."""
    model = base.load(str(tiny_sd), devices.chosen("bf16"))
    assert {p.dtype for p in model.pipeline.vae.parameters()} == {torch.float32}
    assert {p.dtype for p in model.pipeline.unet.parameters()} == {torch.bfloat16}
    latents = torch.randn(1, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    pixels = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    plain = model.pixels(latents), model.latents(pixels)
    with model.device.autocast():
        within = model.pixels(latents), model.latents(pixels)
    assert all(map(torch.equal, plain, within))
