"""Models of timm: with weights from a file, for images of another size, kept for timm to load."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import nn

from kubetune_trainer.exits import BadConfiguration, is_out_of_memory
from kubetune_trainer.training.memory import first_line

Weights = Mapping[str, torch.Tensor]


def create(
    name: str, classes: int, options: Mapping[str, Any], *, pretrained: bool = False
) -> nn.Module:
    """A model with so many outputs. Options that are None are left to the model.

    Raises:
        BadConfiguration: timm has no such model, or it takes no such options.
    """
    import timm  # noqa: PLC0415 - seconds

    try:
        found: nn.Module = timm.create_model(
            name, pretrained=pretrained, num_classes=classes, **options
        )
    except (RuntimeError, TypeError, ValueError, OSError, AssertionError) as error:
        if is_out_of_memory(error):
            raise
        raise BadConfiguration(f"model: {name}: {error}") from error
    return found


def prepare(model: Any, image_size: int, weights: Weights | None, source: Path) -> None:
    """Fits a model to images of `image_size` pixels a side, 0 for its own, and sets its weights.

    The weights may be of the model's own size, and are then fitted with it, or of the wanted one.

    Raises:
        BadConfiguration: the weights do not fit, or the model cannot have that size.
    """
    first = weights is not None and not _unlike(model, weights)
    if weights is not None and first:
        _fill(model, weights, source)
    if image_size and hasattr(model, "set_input_size"):
        try:
            model.set_input_size(img_size=image_size)
        except (RuntimeError, ValueError, AssertionError) as error:
            raise BadConfiguration(f"image_size: {image_size}: {error}") from error
    if weights is not None and not first:
        _fill(model, weights, source)


def read_weights(path: Path) -> Weights:
    """Weights as timm or torch saved them; nothing in the file can run code.

    Raises:
        BadConfiguration: it is no such file.
    """
    from safetensors import SafetensorError  # noqa: PLC0415 - with weights only
    from timm.models import load_state_dict  # noqa: PLC0415 - seconds

    if not path.is_file():
        raise BadConfiguration(f"weights: {path}: there is no such file")
    try:
        found = load_state_dict(str(path), weights_only=True)
        return {name: tensor for name, tensor in found.items() if torch.is_tensor(tensor)}
    except (
        *(OSError, EOFError, RuntimeError, ValueError, KeyError, AttributeError),
        *(SafetensorError, UnpicklingError),
    ) as error:
        words = f"no weights that can be read: {first_line(error)}"
        raise BadConfiguration(f"weights: {path}: {words}") from error


def keep(model: nn.Module, folder: Path, classes: Sequence[str], input_size: Sequence[int]) -> None:
    """Writes weights and description, as `timm.create_model("local-dir:FOLDER")` loads them."""
    from timm.models import save_for_hf  # noqa: PLC0415 - seconds

    about = {
        "label_names": list(classes),
        "pretrained_cfg": {"input_size": list(input_size), "crop_pct": 1.0},
    }
    save_for_hf(model, str(folder), model_config=about, safe_serialization=True)


def options(text: str) -> dict[str, Any]:
    """The object of a JSON text.

    Raises:
        ValueError: it is none.
    """
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("it is no JSON object")  # noqa: TRY004 - of a text, not of an argument
    return found


def _fill(model: nn.Module, weights: Weights, source: Path) -> None:
    if odd := _unlike(model, weights):
        raise BadConfiguration(f"weights: {source} are another model's: {', '.join(odd[:5])}")
    own = {name: tensor.shape for name, tensor in model.state_dict().items()}
    fitting = {name: each for name, each in weights.items() if own.get(name) == each.shape}
    model.load_state_dict(fitting, strict=False)


def _unlike(model: nn.Module, weights: Weights) -> list[str]:
    """Names that are on one side only or of another shape, but for the last layer."""
    own = model.state_dict()
    head = tuple(f"{name}." for name in _head_names(model))
    return [
        name
        for name in sorted(own.keys() | weights.keys())
        if not name.startswith(head)
        and (name not in own or name not in weights or own[name].shape != weights[name].shape)
    ]


def _head_names(model: nn.Module) -> tuple[str, ...]:
    name = model.pretrained_cfg["classifier"]  # type: ignore[index]  # of every model of timm
    return (name,) if isinstance(name, str) else tuple(name)
