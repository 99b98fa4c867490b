"""Where a test cluster keeps things: all of it outside the work tree."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def say(line: str) -> None:
    """Says a line at once on standard error, past what holds output back."""
    print(line, file=sys.__stderr__, flush=True)


def cache_root() -> Path:
    """`KUBETUNE_CACHE`, else the user's cache folder; private, for it holds tokens."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    root = Path(os.environ.get("KUBETUNE_CACHE") or Path(base) / "kubetune")
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    return root


def running_root() -> Path:
    """The folder that holds one folder for each cluster that runs."""
    root = cache_root() / "running"
    root.mkdir(exist_ok=True, mode=0o700)
    return root


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Holds a lock that ends with this process; waits for whoever has it."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
