"""The whole state of a training, as files: a resumed trial goes on as if nothing had been."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

_TRAINED, _REST, _BEST = "trained.safetensors", "state.pt", "best.safetensors"

_UNWRITABLE = ("(os error ", "inline_container.cc", "iostream error")
"""Words of tokenizers and torch, which raise a plain Exception and a RuntimeError."""


def unwritable(error: BaseException) -> bool:
    """Whether it is what a full or broken disk looks like; every library says it in its own way."""
    known = isinstance(error, OSError | SafetensorError)
    return known or any(words in str(error) for words in _UNWRITABLE)


def write(
    folder: Path,
    trained: Mapping[str, torch.Tensor],
    rest: Mapping[str, Any],
    best: Mapping[str, torch.Tensor] | None = None,
) -> None:
    """Writes what is trained, and the rest: plain values, tensors, and lists and maps of them."""
    save_file(_flat(trained), folder / _TRAINED)
    torch.save(dict(rest), folder / _REST)
    if best is not None:
        save_file(_flat(best), folder / _BEST)


def read(
    folder: Path,
) -> tuple[dict[str, torch.Tensor], dict[str, Any], dict[str, torch.Tensor] | None]:
    """What `write` wrote, on the CPU. Nothing in the files can run code."""
    rest: dict[str, Any] = torch.load(folder / _REST, map_location="cpu", weights_only=True)
    best = load_file(folder / _BEST) if (folder / _BEST).exists() else None
    return load_file(folder / _TRAINED), rest, best


def trained(module: nn.Module) -> dict[str, torch.Tensor]:
    """What training changes of a module: parameters that learn, each once, and its buffers."""
    parameters = dict(module.named_parameters())
    found = {name: each.detach() for name, each in parameters.items() if each.requires_grad}
    buffers = {name for name, _ in module.named_buffers()}
    kept = module.state_dict()
    return {**found, **{name: kept[name] for name in sorted(buffers & kept.keys())}}


def load_trained(module: nn.Module, state: Mapping[str, torch.Tensor]) -> None:
    """Sets what `trained` gave.

    Raises:
        ValueError: it is another model's.
    """
    own = trained(module)
    shapes = {name: tensor.shape for name, tensor in own.items()}
    given = {name: tensor.shape for name, tensor in state.items()}
    if shapes != given:
        odd = sorted(name for name, _ in shapes.items() ^ given.items())
        raise ValueError(f"the checkpoint is of another model: {', '.join(odd[:3])}")
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(state[name])


def copied(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """A copy on the CPU that training does not change."""
    return {name: tensor.detach().to("cpu", copy=True) for name, tensor in state.items()}


def _flat(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().contiguous() for name, tensor in state.items()}
