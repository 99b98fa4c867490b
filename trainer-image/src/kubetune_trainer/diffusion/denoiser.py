"""Everything of a Stable Diffusion that a training step runs."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from kubetune_trainer.diffusion.base import Base, Prompt


class Denoiser(nn.Module):
    """Everything that a training step runs, as one module: texts and denoiser."""

    def __init__(self, base: Base, *, text: bool) -> None:
        super().__init__()
        self.unet = base.pipeline.unet
        if text:
            self.text_encoders = nn.ModuleDict(base.text_encoders)
        self._base = (base,)

    def forward(
        self, noisy: torch.Tensor, timesteps: torch.Tensor, texts: Sequence[str] | Prompt
    ) -> torch.Tensor:
        """The denoiser's answer; `texts` are captions, or what has been worked out of them."""
        base = self._base[0]
        prompt = texts if isinstance(texts, Prompt) else base.prompts(texts)
        more: dict[str, Any] = {}
        if prompt.pooled is not None:
            scale = base.pipeline.vae_scale_factor
            height, width = noisy.shape[2] * scale, noisy.shape[3] * scale
            sizes = base.sizes(len(noisy), height, width)
            more = {"added_cond_kwargs": {"text_embeds": prompt.pooled, "time_ids": sizes}}
        found: torch.Tensor = self.unet(noisy, timesteps, prompt.tokens, **more).sample
        return found
