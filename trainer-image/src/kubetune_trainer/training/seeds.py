"""Everything random: follows from the trial's seed and the step, whatever came between."""

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch


def seed_all(seed: int) -> None:
    """Seeds Python, NumPy and torch on all devices."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - what libraries draw from
    torch.manual_seed(seed)


def seed_step(seed: int, step: int, rank: int = 0) -> None:
    """Seeds one step of one process of a trial: it is the same whatever was before it."""
    drawn = np.random.SeedSequence([seed, step, rank]).generate_state(1, np.uint64)
    seed_all(int(drawn[0]))


def capture() -> dict[str, Any]:
    """The states of all generators."""
    state: Any = np.random.get_state(legacy=True)  # noqa: NPY002 - as above
    kind, keys, position, has_gauss, gauss = state
    version, internal, following = random.getstate()
    return {
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else [],
        "numpy": [str(kind), torch.from_numpy(keys.astype(np.int64)), position, has_gauss, gauss],
        "python": [version, list(internal), following],
    }


def restore(states: Mapping[str, Any]) -> None:
    """Sets what `capture` took; a GPU's state where there is that GPU."""
    torch.set_rng_state(states["torch"].cpu())
    if states["cuda"] and len(states["cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all([state.cpu() for state in states["cuda"]])
    kind, keys, position, has_gauss, gauss = states["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), position, has_gauss, gauss))  # noqa: NPY002
    version, internal, following = states["python"]
    random.setstate((version, tuple(internal), following))


@contextmanager
def aside(seed: int) -> Iterator[None]:
    """A block with a seed of its own, after which everything is as if it had not been.

    An evaluation draws the same numbers each time and changes nothing of the training.
    """
    before = capture()
    seed_all(seed)
    try:
        yield
    finally:
        restore(before)
