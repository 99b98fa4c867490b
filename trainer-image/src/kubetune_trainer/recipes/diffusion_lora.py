"""A LoRA for Stable Diffusion 1.x or XL, learned from captioned pictures.

`train_data` is a folder of pictures, each with its caption in a text file of the same name. Without
`eval_data` a tenth of them is set apart, the same ones for every trial of a study; `test_data` is
opened in the held-out stage alone. Losses compared between trials are taken on fixed noise at fixed
timesteps. At each evaluation fixed prompts are rendered with fixed seeds; the sheet of them lies
with the trial's artifacts.

A LoRA's output is scaled by `network_alpha / network_dim`: rate, alpha and dim act together.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import ClassVar

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from kubetune_trainer import Trial
from kubetune_trainer.diffusion import base as models
from kubetune_trainer.diffusion import pictures as reading
from kubetune_trainer.diffusion import quality, rendering
from kubetune_trainer.diffusion.base import Base, Lora, Prompt
from kubetune_trainer.diffusion.denoiser import Denoiser
from kubetune_trainer.diffusion.latents import Encode, LatentsCache
from kubetune_trainer.diffusion.pictures import Picture
from kubetune_trainer.diffusion.quality import Clip
from kubetune_trainer.diffusion.rendering import Rendered, Scene
from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.main import run
from kubetune_trainer.notes import note
from kubetune_trainer.training.built import Built, Judged
from kubetune_trainer.training.config import TrainingConfig
from kubetune_trainer.training.devices import Device
from kubetune_trainer.training.fit import fit
from kubetune_trainer.training.optimizers import Group
from kubetune_trainer.training.task import Batch

JUDGED = Judged(
    watched="eval_loss",
    known=("eval_loss", "clip_score", "black_fraction", "feature_distance", "identity_similarity"),
    higher=("clip_score", "identity_similarity"),
    unit="images",
)

PLAIN = {"network_dropout": 0.0, "weight_decay": 0.0}
"""What keeps a model from learning by heart, switched off."""

TIMESTEPS = 8
"""Losses of an evaluation are taken at so many timesteps, evenly spread over all."""


@dataclass(frozen=True, kw_only=True)
class Config(TrainingConfig):
    """What may be tuned, beside what every training has.

    `learning_rate` is the denoiser's. A `text_encoder_lr` of 0 leaves the text encoders as they
    are; their outputs are then worked out once. `resolution` is the side of a square of the
    pictures' area. `min_snr_gamma` weighs training losses (Hang et al. 2023), 0 does not; the
    losses of evaluations are never weighed. `prompts` are separated by `|`; without any, captions
    of the pictures set apart are rendered. `clip_model` judges what is rendered, a folder or a
    name on the hub; without it there is no CLIP score, feature distance and identity similarity.
    `latents_cache` is a folder that all trials of a study share: pictures are encoded by the first.
    The untouched model is not evaluated unless asked for: its pictures are every trial's the same.
    """

    model: str
    train_data: str
    eval_data: str = ""
    test_data: str = ""
    resolution: int = 512
    text_encoder_lr: float = 0.0
    network_dim: int = 64
    network_alpha: float = 32.0
    network_dropout: float = 0.0
    min_snr_gamma: float = 0.0
    gradient_checkpointing: bool = False
    prompts: str = ""
    samples_per_prompt: int = 4
    sampling_steps: int = 25
    guidance_scale: float = 7.5
    clip_model: str = ""
    latents_cache: str = ""
    evaluate_first: bool = False

    POSITIVE: ClassVar[tuple[str, ...]] = (
        *TrainingConfig.POSITIVE,
        "resolution",
        "network_dim",
        "samples_per_prompt",
        "sampling_steps",
    )
    NOT_NEGATIVE: ClassVar[tuple[str, ...]] = (
        *TrainingConfig.NOT_NEGATIVE,
        "text_encoder_lr",
        "min_snr_gamma",
        "guidance_scale",
    )
    SHARES: ClassVar[tuple[str, ...]] = (*TrainingConfig.SHARES, "network_dropout")

    def faults(self) -> list[str]:
        """What is wrong, a sentence for each field."""
        found = TrainingConfig.faults(self)
        if not self.network_alpha > 0:
            words = "must be greater than 0: the LoRA would have no effect"
            found.append(f"network_alpha: {self.network_alpha} {words}")
        return found


@dataclass(frozen=True, slots=True)
class Data:
    """Pictures to train with, to compare trials by, and held back; the last only when asked for.

    `encode` gives the latents of one, which are worked out once.
    """

    train: Sequence[Picture]
    evaluation: Sequence[Picture]
    test: Callable[[], Sequence[Picture]] | None
    encode: Encode

    def batch(self, chosen: Sequence[Picture]) -> torch.Tensor:
        """Their latents, pictures x channels x height x width; they have one size."""
        return torch.stack([self.encode(picture) for picture in chosen])


def train(trial: Trial) -> None:
    """Trains one configuration; reports its losses and what its pictures look like."""
    fit(trial, Config, build)


def build(config: Config, seed: int, device: Device, artifacts: Path | None) -> Built:
    """The model and its pictures; random weights follow from torch's generator."""
    del seed
    base = models.load(config.model, device)
    clip = Clip(config.clip_model, device) if config.clip_model else None
    data = load_data(config, base)
    lora = Lora(dim=config.network_dim, alpha=config.network_alpha, dropout=config.network_dropout)
    learning = base.add(lora, text=config.text_encoder_lr > 0)
    if config.gradient_checkpointing:
        base.pipeline.unet.enable_gradient_checkpointing()
    groups = tuple(
        Group(
            name="unet" if name == "unet" else "text_encoder",
            parameters=parameters,
            learning_rate=config.learning_rate if name == "unet" else config.text_encoder_lr,
            weight_decay=config.weight_decay,
        )
        for name, parameters in learning.items()
    )
    task = PicturesTask(base, data, config, clip, artifacts)
    return Built(task=task, groups=groups, judged=JUDGED, bins=reading.bins(data.train))


def load_data(config: Config, base: Base) -> Data:
    """Reads the pictures, and works out their latents.

    Raises:
        BadConfiguration: what is wrong with the files.
    """

    def read(folder: str) -> list[Picture]:
        return reading.read(Path(folder), config.resolution, base.step)

    def encoded(picture: Picture) -> torch.Tensor:
        try:
            return base.latents(picture.pixels()[None])[0].cpu()
        except ValueError as error:
            words = f"{error} of {picture.path}: its weights are broken, take another model"
            raise BadConfiguration(f"model: {config.model}: {words}") from error

    train = read(config.train_data)
    train, apart = (train, read(config.eval_data)) if config.eval_data else reading.split(train)
    test = partial(read, config.test_data) if config.test_data else None
    encode: Encode = encoded
    if config.latents_cache:
        encode = LatentsCache(Path(config.latents_cache), base.pipeline.vae, encoded)
    data = Data(train, apart, test, cache(encode))
    if int(os.environ.get("RANK", "0")) == 0:
        note(f"reading {len(train) + len(apart):,} pictures and working out their latents")
    for picture in (*train, *apart):
        data.encode(picture)
    return data


class PicturesTask:
    """The loop's view of a LoRA and its pictures."""

    def __init__(
        self, base: Base, data: Data, config: Config, clip: Clip | None, artifacts: Path | None
    ) -> None:
        from diffusers import DDPMScheduler  # noqa: PLC0415 - seconds

        self.module = Denoiser(base, text=config.text_encoder_lr > 0)
        self.counters = {"evaluations": 0.0}
        self._base, self._data, self._config = base, data, config
        self._clip, self._artifacts = clip, artifacts
        self._noise = DDPMScheduler.from_config(base.pipeline.scheduler.config)
        self._known: dict[str, Prompt] = {}
        self._know((*data.train, *data.evaluation))
        self._training_features = self._features()

    @property
    def length(self) -> int:
        """Pictures to train with."""
        return len(self._data.train)

    def collate(self, examples: Sequence[tuple[int, int]]) -> Batch:
        """Latents and captions."""
        chosen = [self._data.train[index] for index, _ in examples]
        return {
            "latents": self._data.batch(chosen),
            "captions": [picture.caption for picture in chosen],
        }

    def targets(self, batch: Batch) -> float:
        """Pictures."""
        return float(len(batch["latents"]))

    def loss(self, module: nn.Module, batch: Batch) -> torch.Tensor:
        """Each picture's mean squared error at a random timestep, summed over the pictures."""
        latents = batch["latents"]
        count = self._noise.config.num_train_timesteps
        noise = torch.randn(latents.shape).to(latents.device)
        timesteps = torch.randint(0, count, (len(latents),)).to(latents.device)
        errors = self._errors(module, latents, noise, timesteps, batch["captions"])
        if self._config.min_snr_gamma:
            errors = errors * self._weights(timesteps)
        return errors.sum()

    def evaluate(self, stop: Callable[[], bool]) -> Mapping[str, float] | None:
        """The loss on fixed noise, and measures of the rendered pictures."""
        loss = self._fixed_loss(self._data.evaluation, stop)
        if loss is None:
            return None
        with torch.inference_mode(), self._base.device.autocast():
            rendered = rendering.render(self._base, self._scene(), stop)
        if rendered is None:
            return None
        self.counters["evaluations"] += 1
        self._keep_sheet(rendered)
        if words := quality.complaint(rendered):
            note(words)
        found = quality.measures(rendered, self._clip, self._training_features)
        return {"eval_loss": loss, **found}

    def _keep_sheet(self, rendered: Rendered) -> None:
        """Beside the others of this trial; a full disk is said, and ends nothing."""
        if self._artifacts is None:
            return
        name = f"sheet-{int(self.counters['evaluations']):03d}.jpg"
        try:
            rendering.save(rendered, self._artifacts / "samples" / name)
        except OSError as error:
            note(f"{name} cannot be kept: {error}")

    def test(self, stop: Callable[[], bool]) -> Mapping[str, float] | None:
        """The loss on fixed noise of held-back pictures."""
        if self._data.test is None:
            return {}
        pictures = self._data.test()
        self._know(pictures)
        loss = self._fixed_loss(pictures, stop)
        return None if loss is None else {"test_loss": loss}

    def keep(self, folder: Path) -> None:
        """The LoRA, as `load_lora_weights` of diffusers reads it.

        Names are those of peft: its converter to older names of diffusers leaves some as they are,
        and of such a mixture the loader takes only a part.
        """
        from diffusers.training_utils import _collate_lora_metadata  # noqa: PLC0415 - seconds
        from peft.utils import get_peft_model_state_dict  # noqa: PLC0415 - seconds

        pipeline = self._base.pipeline
        learning = {"unet": pipeline.unet}
        if self._config.text_encoder_lr > 0:
            learning |= self._base.text_encoders
        layers = {
            f"{name}_lora_layers": get_peft_model_state_dict(module)
            for name, module in learning.items()
        }
        type(pipeline).save_lora_weights(folder, **layers, **_collate_lora_metadata(learning))

    def _errors(
        self,
        module: nn.Module,
        latents: torch.Tensor,
        noise: torch.Tensor,
        timesteps: torch.Tensor,
        captions: Sequence[str],
    ) -> torch.Tensor:
        noisy = self._noise.add_noise(latents, noise, timesteps)
        texts = self._texts(captions)
        answer = module(noisy, timesteps, texts).float()
        if self._noise.config.prediction_type == "v_prediction":
            wanted = self._noise.get_velocity(latents, noise, timesteps)
        else:
            wanted = noise
        return functional.mse_loss(answer, wanted, reduction="none").mean(dim=(1, 2, 3))

    def _texts(self, captions: Sequence[str]) -> Sequence[str] | Prompt:
        if not self._known:
            return captions
        device = self._base.device.torch_device
        found = [self._known[caption] for caption in captions]
        pooled = [prompt.pooled for prompt in found if prompt.pooled is not None]
        return Prompt(
            torch.cat([prompt.tokens for prompt in found]).to(device),
            torch.cat(pooled).to(device) if pooled else None,
        )

    def _know(self, pictures: Iterable[Picture]) -> None:
        """Works out what the text encoders make of each caption, where nothing in them learns."""
        if self._config.text_encoder_lr > 0:
            return
        with torch.no_grad():
            for caption in sorted({picture.caption for picture in pictures} - self._known.keys()):
                prompt = self._base.prompts([caption])
                pooled = None if prompt.pooled is None else prompt.pooled.cpu()
                self._known[caption] = Prompt(prompt.tokens.cpu(), pooled)

    def _weights(self, timesteps: torch.Tensor) -> torch.Tensor:
        from diffusers.training_utils import compute_snr  # noqa: PLC0415 - for this option only

        ratio: torch.Tensor = compute_snr(self._noise, timesteps)
        least = ratio.clamp(max=self._config.min_snr_gamma)
        if self._noise.config.prediction_type == "v_prediction":
            return least / (ratio + 1)
        return least / ratio

    def _fixed_loss(self, pictures: Sequence[Picture], stop: Callable[[], bool]) -> float | None:
        """The mean over pictures and timesteps, with one noise for each pair."""
        count = self._noise.config.num_train_timesteps
        steps = [int((index + 0.5) * count / TIMESTEPS) for index in range(TIMESTEPS)]
        device = self._base.device.torch_device
        losses = []
        with torch.inference_mode(), self._base.device.autocast():
            for number, picture in enumerate(pictures):
                if stop():
                    return None
                latents = self._data.batch([picture] * TIMESTEPS).to(device)
                noise = torch.randn(
                    latents.shape, generator=torch.Generator().manual_seed(number)
                ).to(device)
                timesteps = torch.tensor(steps, device=device)
                captions = [picture.caption] * TIMESTEPS
                errors = self._errors(self.module, latents, noise, timesteps, captions)
                losses.append(float(errors.mean()))
        return float(np.mean(losses))

    def _scene(self) -> Scene:
        config = self._config
        given = [prompt.strip() for prompt in config.prompts.split("|") if prompt.strip()]
        prompts = given or sorted({picture.caption for picture in self._data.evaluation})[:4]
        return rendering.scene_of(
            prompts,
            config.samples_per_prompt,
            config.resolution // self._base.step * self._base.step,
            config.sampling_steps,
            config.guidance_scale,
        )

    def _features(self) -> quality.Features | None:
        """Of the training pictures, once."""
        if self._clip is None:
            return None
        pixels = (picture.pixels() for picture in self._data.train)
        return self._clip.pictures(((each + 1) / 2).permute(1, 2, 0).numpy() for each in pixels)


if __name__ == "__main__":
    run(train)
