"""Latents of pictures: worked out once in a trial, or once in a study where there is a folder."""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from kubetune_trainer.diffusion.pictures import Picture
from kubetune_trainer.notes import note

Encode = Callable[[Picture], torch.Tensor]

_FORMAT = "1"
_NAME = "latents"


class LatentsCache:
    """Latents in files that all trials share: what they depend on is their name.

    That is the autoencoder's weights, the picture's bytes and the size it is cut to, and no
    parameter that is tuned. A file is written aside and then renamed, so that trials that run at
    the same time find whole ones. A folder that cannot be written is said once, and done without.
    """

    def __init__(self, folder: Path, autoencoder: nn.Module, encode: Encode) -> None:
        self._folder, self._encode = folder, encode
        self._model = fingerprint(autoencoder)
        self._noted = False

    def __call__(self, picture: Picture) -> torch.Tensor:
        """Of one picture, from its file or worked out."""
        path = self.path(picture)
        try:
            return load_file(path)[_NAME]
        except (OSError, SafetensorError, KeyError):
            found = self._encode(picture)
        self._write(path, found)
        return found

    def path(self, picture: Picture) -> Path:
        """Where they lie."""
        content = hashlib.sha256(picture.path.read_bytes()).hexdigest()
        size = f"{picture.size.width}x{picture.size.height}"
        key = hashlib.sha256(f"{_FORMAT}:{self._model}:{content}:{size}".encode()).hexdigest()
        return self._folder / f"{key}.safetensors"

    def _write(self, path: Path, latents: torch.Tensor) -> None:
        draft = path.with_name(f".{path.stem}.{uuid4().hex}")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            save_file({_NAME: latents.contiguous()}, draft)
            draft.replace(path)
        except (OSError, SafetensorError) as error:
            with suppress(OSError):
                draft.unlink()
            if not self._noted:
                note(f"latents_cache: {error}; going on without")
            self._noted = True


def fingerprint(module: nn.Module) -> str:
    """What tells a model's weights from all others."""
    digest = hashlib.sha256()
    state: dict[str, Any] = module.state_dict()
    for name in sorted(state):
        tensor = state[name].detach().float().cpu().contiguous()
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()
