"""Tiny models and data for all tests on torch, made once and kept in pytest's cache."""

import hashlib
import inspect
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch

from kubetune_trainer.tiny import diffusion, language

torch.set_num_threads(1)
os.environ.setdefault("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def made(
    request: pytest.FixtureRequest,
) -> Callable[[str, ModuleType, Callable[[Path], None]], Path]:
    """Gives a folder that `make` filled, now or in an earlier session from the same source."""

    def get(name: str, maker: ModuleType, make: Callable[[Path], None]) -> Path:
        source = hashlib.sha256(inspect.getsource(maker).encode()).hexdigest()[:12]
        folder = Path(request.config.cache.mkdir("tiny")) / f"{name}-{source}"
        if not folder.exists():
            draft = folder.with_name(f"{folder.name}.{os.getpid()}")
            shutil.rmtree(draft, ignore_errors=True)
            make(draft)
            try:
                draft.rename(folder)
            except OSError:  # another process was faster
                shutil.rmtree(draft)
        return folder

    return get


@pytest.fixture(scope="session")
def tiny_lm(made: Callable[..., Path]) -> Path:
    """A language model."""
    return made("lm", language, language.make_model)


@pytest.fixture(scope="session")
def definitions(made: Callable[..., Path]) -> Path:
    """A folder of `train.jsonl`, `eval.jsonl` and `test.jsonl`."""
    return made("definitions", language, language.make_data)


@pytest.fixture(scope="session")
def tiny_sd(made: Callable[..., Path]) -> Path:
    """A Stable Diffusion 1."""
    return made("sd", diffusion, diffusion.make_model)


@pytest.fixture(scope="session")
def tiny_xl(made: Callable[..., Path]) -> Path:
    """A Stable Diffusion XL; its denoiser has learned nothing."""
    return made("xl", diffusion, lambda folder: diffusion.make_model(folder, xl=True))


@pytest.fixture(scope="session")
def tiny_clip(made: Callable[..., Path]) -> Path:
    """A CLIP model that knows the captions of `pictures`."""
    return made("clip", diffusion, diffusion.make_clip)


@pytest.fixture(scope="session")
def pictures(made: Callable[..., Path]) -> Path:
    """A folder of pictures with captions."""
    return made("pictures", diffusion, diffusion.make_data)
