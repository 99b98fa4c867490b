"""A Stable Diffusion of 400,000 weights, a CLIP model to judge it, and pictures to teach it.

The pictures are parts of the two photographs that come with scikit-learn. Autoencoder and judge
learn some of both; the denoiser learns a few of the temple only, for over one of random weights a
LoRA can learn nothing. What is left to learn is the flower: good parameters beat bad ones.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch.nn import functional

from kubetune_trainer.training import seeds

SEED = 20_220_822
SIDE = 64
VAE_STEPS, UNET_STEPS, CLIP_STEPS = 40, 80, 60
ROWS = 6
"""Pictures of a step."""

_WORDS = re.compile(r"[a-z]+|[^a-z\s]")
_SPECIAL = ("<|startoftext|>", "<|endoftext|>")

TEMPLES = 3
"""So many pictures does the denoiser know: all others are news to it."""

SHAPES = (SIDE, SIDE), (SIDE, SIDE), (SIDE * 3 // 2, SIDE), (SIDE, SIDE * 3 // 2)
COLOURS = {"red": (200, 40, 40), "green": (40, 170, 60), "blue": (50, 80, 200), "grey": (128,) * 3}


def make_data(folder: Path, *, count: int = 10) -> None:
    """Pictures of one flower with a caption beside each: in some shapes and colours."""
    folder.mkdir(parents=True, exist_ok=True)
    for index, (picture, caption) in enumerate(_flowers(count)):
        picture.save(folder / f"{index:03d}.png")
        (folder / f"{index:03d}.txt").write_text(caption + "\n", encoding="utf-8")


def make_model(folder: Path, *, xl: bool = False, steps: int = UNET_STEPS) -> None:
    """A pipeline of the same classes as the real ones, as `from_pretrained` loads it."""
    from diffusers import (  # noqa: PLC0415 - seconds
        DDIMScheduler,
        EulerDiscreteScheduler,
        StableDiffusionPipeline,
        StableDiffusionXLPipeline,
    )

    shown = list(_pictures(24))
    tokenizer = _tokenizer([caption for _, caption in shown])
    with seeds.aside(SEED):
        vae, unet = _vae(), _unet(xl=xl)
        text = _text_encoder(len(tokenizer), projected=False, tokenizer=tokenizer)
        second = _text_encoder(len(tokenizer), projected=True, tokenizer=tokenizer)
        latents = _learn_pictures(vae, shown, steps // 8 if xl else VAE_STEPS)
        if not xl:
            ids = _ids(tokenizer, [caption for _, caption in shown])
            _learn_noise(unet, text, latents[: 2 * TEMPLES : 2], ids[: 2 * TEMPLES : 2], steps)
    beta = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    pipeline: Any
    if xl:
        pipeline = StableDiffusionXLPipeline(
            vae=vae,
            text_encoder=text,
            text_encoder_2=second,
            tokenizer=tokenizer,
            tokenizer_2=tokenizer,
            unet=unet,
            scheduler=EulerDiscreteScheduler(**beta, steps_offset=1, timestep_spacing="leading"),
            add_watermarker=False,
        )
    else:
        pipeline = StableDiffusionPipeline(
            vae=vae,
            text_encoder=text,
            tokenizer=tokenizer,
            unet=unet,
            scheduler=DDIMScheduler(
                **beta, clip_sample=False, set_alpha_to_one=False, steps_offset=1
            ),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
    pipeline.save_pretrained(folder)


def make_clip(folder: Path, *, steps: int = CLIP_STEPS) -> None:
    """A CLIP model that has seen which caption belongs to which picture."""
    from transformers import (  # noqa: PLC0415 - seconds
        CLIPConfig,
        CLIPImageProcessor,
        CLIPModel,
        CLIPProcessor,
    )

    shown = list(_pictures(32))
    tokenizer = _tokenizer([caption for _, caption in shown])
    size = {"height": SIDE, "width": SIDE}
    images = CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size=size)
    processor = CLIPProcessor(image_processor=images, tokenizer=tokenizer)
    common = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
    with seeds.aside(SEED):
        model = CLIPModel(
            CLIPConfig(
                text_config={
                    **common,
                    "vocab_size": len(tokenizer),
                    "num_attention_heads": 4,
                    "max_position_embeddings": 32,
                    "bos_token_id": tokenizer.bos_token_id,
                    "eos_token_id": tokenizer.eos_token_id,
                },
                vision_config={
                    **common,
                    "num_attention_heads": 4,
                    "image_size": SIDE,
                    "patch_size": 16,
                },
                projection_dim=32,
            )
        )
        given = processor(
            images=[picture for picture, _ in shown],
            text=[caption for _, caption in shown],
            return_tensors="pt",
            padding=True,
        )
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
        for _ in range(steps):
            model(**given, return_loss=True).loss.backward()
            optimizer.step()
            optimizer.zero_grad()
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def _pictures(count: int) -> Iterator[tuple[Image.Image, str]]:
    """Parts of both photographs by turns, from anywhere in them."""
    rng = np.random.default_rng(SEED)
    whole = {name: _photograph(name) for name in ("china", "flower")}
    words = {"china": "a temple in china", "flower": "a flower in a garden"}
    for index in range(count):
        name = ("china", "flower")[index % 2]
        width, height = SHAPES[index % len(SHAPES)]
        image = whole[name]
        left = int(rng.integers(0, image.width - 4 * width))
        top = int(rng.integers(0, image.height - 4 * height))
        yield _part(image, (left, top), (width, height), index // 2, words[name])


def _flowers(count: int) -> Iterator[tuple[Image.Image, str]]:
    """Parts around the middle of the flower."""
    rng = np.random.default_rng(SEED)
    image = _photograph("flower")
    for index in range(count):
        width, height = SHAPES[index % len(SHAPES)]
        across, down = (int(offset) for offset in rng.integers(-12, 13, 2))
        corner = 300 - 2 * width + across, 200 - 2 * height + down
        yield _part(image, corner, (width, height), index // 2, "a flower in a garden")


def _part(
    image: Image.Image, corner: tuple[int, int], size: tuple[int, int], turn: int, words: str
) -> tuple[Image.Image, str]:
    """A part of four times the size from a corner on, in the colour whose turn it is."""
    (left, top), (width, height) = corner, size
    part = image.crop((left, top, left + 4 * width, top + 4 * height)).resize(size)
    colour = list(COLOURS)[turn % len(COLOURS)]
    tinted = Image.blend(part, Image.new("RGB", size, COLOURS[colour]), 0.3)
    return tinted, f"{words}, {colour}"


def _photograph(name: str) -> Image.Image:
    import sklearn  # noqa: PLC0415 - seconds

    return Image.open(Path(sklearn.__file__).parent / "datasets" / "images" / f"{name}.jpg")


def _tokenizer(captions: list[str]) -> Any:
    """Knows the words of the captions; one that is trained would have its ranks by chance."""
    from transformers import CLIPTokenizer  # noqa: PLC0415 - seconds
    from transformers.convert_slow_tokenizer import bytes_to_unicode  # noqa: PLC0415 - seconds

    words = dict.fromkeys(word for caption in captions for word in _WORDS.findall(caption))
    merges: dict[tuple[str, str], None] = {}
    for word in words:
        letters = [*word[:-1], f"{word[-1]}</w>"]
        while len(letters) > 1:
            merges[letters[0], letters[1]] = None
            letters[:2] = ["".join(letters[:2])]
    letters = sorted(bytes_to_unicode().values())
    known = [*letters, *(f"{letter}</w>" for letter in letters), *map("".join, merges)]
    vocabulary = {word: index for index, word in enumerate((*known, *_SPECIAL))}
    pairs: Any = list(merges)
    return CLIPTokenizer(vocabulary, pairs, model_max_length=32)


def _ids(tokenizer: Any, captions: list[str]) -> torch.Tensor:
    ids: torch.Tensor = tokenizer(
        captions, padding="max_length", truncation=True, max_length=32, return_tensors="pt"
    ).input_ids
    return ids


def _vae() -> Any:
    from diffusers import AutoencoderKL  # noqa: PLC0415 - seconds

    return AutoencoderKL(
        block_out_channels=(8, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        latent_channels=4,
        norm_num_groups=4,
        sample_size=SIDE,
    )


def _unet(*, xl: bool) -> Any:
    from diffusers import UNet2DConditionModel  # noqa: PLC0415 - seconds

    more: dict[str, Any] = {"cross_attention_dim": 32}
    if xl:
        more = {
            "cross_attention_dim": 64,
            "addition_embed_type": "text_time",
            "addition_time_embed_dim": 8,
            "projection_class_embeddings_input_dim": 6 * 8 + 32,
            "use_linear_projection": True,
        }
    return UNet2DConditionModel(
        block_out_channels=(16, 32),
        layers_per_block=1,
        sample_size=SIDE // 4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        norm_num_groups=4,
        attention_head_dim=8,
        **more,
    )


def _text_encoder(vocabulary: int, *, projected: bool, tokenizer: Any) -> Any:
    from transformers import (  # noqa: PLC0415 - seconds
        CLIPTextConfig,
        CLIPTextModel,
        CLIPTextModelWithProjection,
    )

    config = CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=32,
        projection_dim=32,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    return (CLIPTextModelWithProjection if projected else CLIPTextModel)(config)


def _learn_pictures(vae: Any, shown: list[tuple[Image.Image, str]], steps: int) -> torch.Tensor:
    """Some steps of an autoencoder; the latents of the pictures as it then makes them."""
    square = [picture.resize((SIDE, SIDE)) for picture, _ in shown]
    arrays = np.stack([np.asarray(picture, dtype=np.float32) for picture in square])
    pixels = torch.from_numpy(arrays / 127.5 - 1).permute(0, 3, 1, 2)
    optimizer = torch.optim.AdamW(vae.parameters(), lr=3e-3)
    for _ in range(steps):
        some = pixels[torch.randint(0, len(pixels), (ROWS,))]
        found = vae.encode(some).latent_dist
        loss = functional.mse_loss(vae.decode(found.sample()).sample, some)
        (loss + 1e-4 * found.kl().mean() / SIDE).backward()
        optimizer.step()
        optimizer.zero_grad()
    with torch.no_grad():
        latents: torch.Tensor = vae.encode(pixels).latent_dist.mean
        vae.register_to_config(scaling_factor=float(1 / latents.std()))
        return latents / latents.std()


def _learn_noise(
    unet: Any, text: Any, latents: torch.Tensor, ids: torch.Tensor, steps: int
) -> None:
    """Some steps of a denoiser and its text encoder."""
    from diffusers import DDPMScheduler  # noqa: PLC0415 - seconds

    noise: Any = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    optimizer = torch.optim.AdamW([*unet.parameters(), *text.parameters()], lr=2e-3)
    for _ in range(steps):
        chosen = torch.randint(0, len(latents), (ROWS,))
        drawn = torch.randn_like(latents[chosen])
        timesteps = torch.randint(0, 1000, (len(chosen),))
        noisy = noise.add_noise(latents[chosen], drawn, timesteps)
        answer = unet(noisy, timesteps, text(ids[chosen])[0]).sample
        functional.mse_loss(answer, drawn).backward()
        torch.nn.utils.clip_grad_norm_([*unet.parameters(), *text.parameters()], 1.0)
        optimizer.step()
        optimizer.zero_grad()
