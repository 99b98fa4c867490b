"""Memory that runs out, and how much was used."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from kubetune_trainer.exits import OutOfMemory, is_out_of_memory


@contextmanager
def watched(doing: str) -> Iterator[None]:
    """A block whose lack of memory says what was being done.

    Raises:
        OutOfMemory: in place of whatever torch raises, with its words.
    """
    try:
        yield
    except Exception as error:
        if isinstance(error, OutOfMemory) or not is_out_of_memory(error):
            raise
        raise OutOfMemory(f"{doing}: {first_line(error)}") from error


def first_line(error: BaseException) -> str:
    """What an error says at first; the rest is advice and addresses."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


def peak_bytes() -> int:
    """The most that this process held on its GPU; 0 without one."""
    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else 0
