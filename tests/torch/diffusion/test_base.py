"""Stable Diffusion as it is loaded, and with what a LoRA adds."""

import re
from itertools import product

import pytest
import torch
from PIL import Image

from kubetune_trainer.diffusion import base
from kubetune_trainer.diffusion.base import Lora
from kubetune_trainer.diffusion.denoiser import Denoiser
from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.training import devices

LORA = Lora(dim=4, alpha=3.0, dropout=0.0)
KINDS = [
    pytest.param(*pair, id=f"{pair[0]}-{'text' if pair[1] else 'unet'}")
    for pair in product(("sd", "xl"), (False, True))
]


@pytest.fixture
def models(tiny_sd, tiny_xl):
    """Loads one of the two."""
    folders = {"sd": tiny_sd, "xl": tiny_xl}
    return lambda kind: base.load(str(folders[kind]), devices.chosen("fp32"))


def answer(model, text):
    """The denoiser's answer to fixed noise, and to two texts."""
    noise = torch.randn(2, 4, 16, 16, generator=torch.Generator().manual_seed(1))
    module = Denoiser(model, text=text)
    return module(noise, torch.tensor([10, 500]), ["a flower", "a temple, red"])


@pytest.mark.parametrize(("kind", "text"), KINDS)
def test_a_new_lora_changes_nothing(models, kind, text):
    """Not by a bit: trials begin where the base is."""
    model = models(kind)
    with torch.no_grad():
        before = answer(model, text)
        model.add(LORA, text=text)
        assert torch.equal(answer(model, text), before)


@pytest.mark.parametrize(("kind", "text"), KINDS)
def test_all_that_is_added_learns_and_nothing_else(models, kind, text):
    """Every weight of the LoRA gets a gradient: several devices would wait for it for ever."""
    model = models(kind)
    learning = model.add(LORA, text=text)
    wanted = {"unet", *(model.text_encoders if text else ())}
    assert set(learning) == wanted
    for parameters in learning.values():
        assert parameters
        for parameter in parameters:
            torch.nn.init.normal_(parameter, std=0.1)
    answer(model, text).square().sum().backward()
    assert all(p.grad is not None for found in learning.values() for p in found)
    assert {p.dtype for found in learning.values() for p in found} == {torch.float32}
    known = {id(p) for found in learning.values() for p in found}
    rest = [
        p for module in model.modules.values() for p in module.parameters() if id(p) not in known
    ]
    assert not any(p.requires_grad for p in rest if "lora" not in str(p))


def test_a_lora_of_strength_zero_is_the_base(models):
    """To the bit, also after it was trained."""
    model = models("sd")
    with torch.no_grad():
        before = answer(model, text=False)
        for parameter in model.add(LORA, text=False)["unet"]:
            torch.nn.init.normal_(parameter)
        assert not torch.equal(answer(model, text=False), before)
        model.pipeline.unet.set_adapters(["default"], [0.0])
        assert torch.equal(answer(model, text=False), before)


def test_latents_are_scaled_means_and_always_the_same(models):
    """And come back as the picture that the autoencoder makes of it."""
    model = models("sd")
    pixels = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(1)) * 2 - 1
    first = model.latents(pixels)
    assert torch.equal(first, model.latents(pixels))
    mean = model.pipeline.vae.encode(pixels).latent_dist.mean
    assert torch.allclose(model.pixels(first), model.pipeline.vae.decode(mean).sample, atol=1e-5)


def test_an_autoencoder_that_gives_no_numbers_is_an_error(models):
    """No training begins on NaN."""
    model = models("sd")
    model.pipeline.vae.encoder.conv_in.weight.data *= float("nan")
    with pytest.raises(ValueError, match="the autoencoder gives no finite latents"):
        model.latents(torch.zeros(1, 3, 64, 64))


def test_what_is_no_stable_diffusion_is_named(tmp_path):
    """Nothing there, no pipeline, another pipeline."""
    device = devices.chosen("fp32")
    with pytest.raises(BadConfiguration, match=re.escape(f"model: {tmp_path}/nowhere")):
        base.load(f"{tmp_path}/nowhere", device)
    Image.new("L", (1, 1)).save(tmp_path / "a.png")
    with pytest.raises(BadConfiguration, match=re.escape(f"model: {tmp_path}")):
        base.load(str(tmp_path), device)
    (tmp_path / "model_index.json").write_text('{"_class_name": "FluxPipeline"}')
    with pytest.raises(BadConfiguration, match="is a FluxPipeline, write Stable Diffusion"):
        base.load(str(tmp_path), device)
