"""What can be said of rendered pictures without looking at them."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from kubetune_trainer.diffusion.rendering import Rendered
from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.training.devices import Device

BLACK_MEAN, BLACK_SPREAD = 0.02, 0.01
FLAT_SPREAD = 0.03
BURNT_SHARE = 0.25
AT_ONCE = 16

Features = NDArray[np.float32]
"""Pictures x width, each of length 1."""


def black_fraction(rendered: Rendered) -> float:
    """The share of pictures that are black, or that the decoder gave no numbers for."""
    return float(np.mean(black(rendered)))


def black(rendered: Rendered) -> NDArray[np.bool_]:
    """Which pictures are black, or have no numbers."""
    dark = rendered.pictures.mean(axis=(1, 2, 3)) < BLACK_MEAN
    even = rendered.pictures.std(axis=(1, 2, 3)) < BLACK_SPREAD
    found: NDArray[np.bool_] = ~rendered.finite | (dark & even)
    return found


def complaint(rendered: Rendered) -> str:
    """What is to be said aloud of black pictures; nothing where there are none."""
    count, broken = int(black(rendered).sum()), int((~rendered.finite).sum())
    if not count:
        return ""
    words = f"{count} of {len(rendered.pictures)} rendered pictures are black"
    if broken:
        return f"{words}: the autoencoder gave no numbers for {broken} of them, not the LoRA's rate"
    return f"{words}: where those of the untouched model are not, a lower learning_rate helps"


def flat_fraction(rendered: Rendered) -> float:
    """The share of pictures that show nothing: of one colour throughout, black included."""
    spreads = rendered.pictures.std(axis=(1, 2)).max(axis=1)
    return float(np.mean(spreads < FLAT_SPREAD))


def burnt_fraction(rendered: Rendered) -> float:
    """The share of pictures of which a quarter or more is fully dark or fully bright."""
    clipped = [((p <= 1 / 255) | (p >= 254 / 255)).mean() for p in rendered.pictures]
    return float(np.mean([share > BURNT_SHARE for share in clipped]))


def distance(one: Features, other: Features) -> float:
    """How far two sets of pictures are apart: 0 for the same set, 1 and more for unlike ones.

    The squared maximum mean discrepancy with a Gaussian kernel of width 1 between unit vectors
    (Gretton et al. 2012, with CLIP's features as in Jayasumana et al. 2024); it needs no more
    than a few pictures, where a Frechet distance needs thousands.
    """
    return max(0.0, _kernel(one, one) + _kernel(other, other) - 2 * _kernel(one, other))


def identity(features: Features, per_prompt: int, usable: NDArray[np.bool_]) -> float:
    """How alike the usable pictures of one prompt are: mean cosine of pairs; NaN without any.

    Black pictures are not usable: they are all alike, and show nobody.
    """
    pairs = [
        float(features[a] @ features[b])
        for start in range(0, len(features), per_prompt)
        for a, b in itertools.combinations(range(start, start + per_prompt), 2)
        if usable[a] and usable[b]
    ]
    return float(np.mean(pairs)) if pairs else float("nan")


class Clip:
    """A CLIP model that judges; it never learns. Its name is part of what a score means."""

    def __init__(self, name: str, device: Device) -> None:
        from transformers import CLIPModel, CLIPProcessor  # noqa: PLC0415 - seconds

        try:
            self._model = CLIPModel.from_pretrained(name, dtype=torch.float32).eval()
            self._processor = CLIPProcessor.from_pretrained(name)
        except (OSError, ValueError) as error:
            raise BadConfiguration(f"clip_model: {name}: {error}") from error
        self._device = device
        self._model.to(device.torch_device)

    def pictures(self, pictures: Iterable[NDArray[np.float32]]) -> Features:
        """Features of pictures of height x width x channels, 0 to 1; a few are held at a time."""
        found = []
        whole = iter((picture * 255).round().astype(np.uint8) for picture in pictures)
        while some := list(itertools.islice(whole, AT_ONCE)):
            given = self._processor(images=some, return_tensors="pt")
            found.append(self._features(self._model.get_image_features, given, ("pixel_values",)))
        return np.concatenate(found)

    def texts(self, texts: Sequence[str]) -> Features:
        """Features of texts."""
        given = self._processor(
            text=list(texts), return_tensors="pt", padding=True, truncation=True
        )
        return self._features(self._model.get_text_features, given, ("input_ids", "attention_mask"))

    def _features(self, method: Any, given: Any, names: Sequence[str]) -> Features:
        moved = {name: given[name].to(self._device.torch_device) for name in names}
        with torch.inference_mode():
            found = method(**moved)
            vectors = functional.normalize(getattr(found, "pooler_output", found).float(), dim=-1)
        array: Features = vectors.cpu().numpy()
        return array


def measures(
    rendered: Rendered, clip: Clip | None, training: Features | None
) -> Mapping[str, float]:
    """Every measure of a scene.

    With a CLIP model also `clip_score`, a cosine of picture and prompt, `feature_distance` from
    the training pictures, and `identity_similarity` within a prompt.
    """
    found = {
        "black_fraction": black_fraction(rendered),
        "flat_fraction": flat_fraction(rendered),
        "burnt_fraction": burnt_fraction(rendered),
    }
    if clip is None:
        return found
    seen, said = clip.pictures(rendered.pictures), clip.texts(rendered.prompts)
    found["clip_score"] = float((seen * said).sum(axis=1).mean())
    if training is not None:
        found["feature_distance"] = distance(seen, training)
    if len(rendered.scene.seeds) > 1:
        found["identity_similarity"] = identity(seen, len(rendered.scene.seeds), ~black(rendered))
    return found


def _kernel(one: Features, other: Features) -> float:
    squares = 2.0 - 2.0 * (one @ other.T)
    return float(np.exp(-squares / 2.0).mean())
