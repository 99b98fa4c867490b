"""Stable Diffusion 1.x and XL as they are loaded, and with what a LoRA adds."""

import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import nn

from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.training.devices import Device

UNET_TARGETS = (
    *("to_q", "to_k", "to_v", "to_out.0"),
    *("proj_in", "proj_out", "ff.net.0.proj", "ff.net.2"),
)
"""Every linear layer of the transformer blocks, as kohya's scripts train them."""

TEXT_TARGETS = ("q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lora:
    """Size and strength of what is added: its output is scaled by `alpha / dim`.

    `dropout` is on the input of each added layer.
    """

    dim: int
    alpha: float
    dropout: float


@dataclass(frozen=True, slots=True)
class Prompt:
    """What a text is to the denoiser: tokens x width for each, and XL's pooled vector."""

    tokens: torch.Tensor
    pooled: torch.Tensor | None = None


class Base:
    """A pipeline of diffusers on a device: autoencoder in fp32, all else in the computed type.

    Half precision overflows in XL's autoencoder, and gives black pictures.
    """

    def __init__(self, pipeline: Any, device: Device) -> None:
        self.pipeline = pipeline
        self.device = device
        for module in self.modules.values():
            module.requires_grad_(requires_grad=False)
            module.to(device.torch_device)
        pipeline.set_progress_bar_config(disable=True)

    @property
    def modules(self) -> dict[str, nn.Module]:
        """All models of the pipeline."""
        found = {
            name: getattr(self.pipeline, name, None)
            for name in ("unet", "vae", "text_encoder", "text_encoder_2")
        }
        return {name: module for name, module in found.items() if module is not None}

    @property
    def xl(self) -> bool:
        """Whether there are two text encoders and a pooled text."""
        return "text_encoder_2" in self.modules

    @property
    def text_encoders(self) -> dict[str, nn.Module]:
        """One or two."""
        return {n: module for n, module in self.modules.items() if n.startswith("text_encoder")}

    @property
    def step(self) -> int:
        """Pixels that the sides of pictures must be whole multiples of."""
        levels = len(self.pipeline.unet.config.block_out_channels)
        return int(self.pipeline.vae_scale_factor * 2 ** (levels - 1))

    def prompts(self, texts: Sequence[str]) -> Prompt:
        """Texts as the denoiser takes them; with gradients where the text encoders learn."""
        given: Mapping[str, Any] = {
            "prompt": list(texts),
            "device": self.device.torch_device,
            "num_images_per_prompt": 1,
            "do_classifier_free_guidance": False,
        }
        found = self.pipeline.encode_prompt(**given)
        return Prompt(found[0], found[2] if self.xl else None)

    def latents(self, pixels: torch.Tensor) -> torch.Tensor:
        """The means of what the autoencoder makes of pictures, scaled as the denoiser takes them.

        Raises:
            ValueError: they are not finite.
        """
        vae = self.pipeline.vae
        with torch.no_grad(), self._precise():
            found = vae.encode(pixels.to(self.device.torch_device, torch.float32)).latent_dist.mean
        if not torch.isfinite(found).all():
            raise ValueError("the autoencoder gives no finite latents")
        scaled: torch.Tensor = found * vae.config.scaling_factor
        return scaled

    def pixels(self, latents: torch.Tensor) -> torch.Tensor:
        """What the autoencoder makes of latents, as it is: about -1 to 1, or no numbers."""
        vae = self.pipeline.vae
        with torch.no_grad(), self._precise():
            found: torch.Tensor = vae.decode(latents.float() / vae.config.scaling_factor).sample
        return found

    def _precise(self) -> AbstractContextManager[object]:
        """A block in which fp32 stays fp32, also within one of a lower precision."""
        return torch.autocast(self.device.torch_device.type, enabled=False)

    def sizes(self, count: int, height: int, width: int) -> torch.Tensor:
        """What XL is told of a picture's size: original, cut and target, for each."""
        row = [height, width, 0, 0, height, width]
        return torch.tensor([row] * count, device=self.device.torch_device, dtype=torch.float32)

    def add(self, lora: Lora, *, text: bool) -> dict[str, list[nn.Parameter]]:
        """Adds a LoRA to the denoiser, and to the text encoders; their parameters, in fp32."""
        from diffusers.training_utils import cast_training_params  # noqa: PLC0415 - seconds
        from peft import LoraConfig  # noqa: PLC0415 - seconds

        learning = {"unet": self.pipeline.unet, **(self.text_encoders if text else {})}
        for name, module in learning.items():
            module.add_adapter(
                LoraConfig(
                    r=lora.dim,
                    lora_alpha=cast("int", lora.alpha),
                    lora_dropout=lora.dropout,
                    target_modules=list(UNET_TARGETS if name == "unet" else TEXT_TARGETS),
                    exclude_modules=self._unused(name),
                )
            )
        cast_training_params(list(learning.values()), dtype=torch.float32)
        return {
            name: [each for each in module.parameters() if each.requires_grad]
            for name, module in learning.items()
        }

    def _unused(self, name: str) -> str | None:
        """Layers that never get a gradient, as a pattern: XL leaves out its first encoder's last.

        Several devices would wait for it for ever.
        """
        if not self.xl or name != "text_encoder":
            return None
        last = self.pipeline.text_encoder.config.num_hidden_layers - 1
        return rf".*\.layers\.{last}\..*"


def load(model: str, device: Device) -> Base:
    """The pipeline of a folder or of a name on the hub, without its safety checker.

    That one paints pictures black, which would be taken for a failure of the training.

    Raises:
        BadConfiguration: there is no such model, or it is no Stable Diffusion.
    """
    from diffusers import (  # noqa: PLC0415 - seconds
        DiffusionPipeline,
        StableDiffusionPipeline,
        StableDiffusionXLPipeline,
    )
    from diffusers.utils.logging import disable_progress_bar  # noqa: PLC0415 - as above

    if os.environ.get("HF_HUB_DISABLE_PROGRESS_BARS") != "0":
        disable_progress_bar()
    known: dict[str, tuple[Any, dict[str, Any]]] = {
        "StableDiffusionPipeline": (
            StableDiffusionPipeline,
            {"safety_checker": None, "requires_safety_checker": False},
        ),
        "StableDiffusionXLPipeline": (StableDiffusionXLPipeline, {"add_watermarker": False}),
    }
    try:
        name = str(DiffusionPipeline.load_config(model).get("_class_name"))
        kind, options = known.get(name, (None, {}))
        if kind is None:
            words = f"{model} is a {name}, write Stable Diffusion 1.x or XL"
            raise BadConfiguration(f"model: {words}")
        dtypes = {"default": device.dtype, "vae": torch.float32}
        return Base(kind.from_pretrained(model, dtype=dtypes, **options), device)
    except (OSError, ValueError, TypeError) as error:
        raise BadConfiguration(f"model: {model}: {error}") from error
