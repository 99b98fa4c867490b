"""The images that pods of the tests run, built once for each state of their inputs."""

import hashlib
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.cluster import archive, python_image
from tests.cluster.archive import Entry, Image
from tests.cluster.places import cache_root, locked, say

TRAINER = "docker.io/library/kubetune-trainer:latest"
SHELL = "docker.io/library/busybox:latest"
PAUSE = "docker.io/library/pause:latest"

_PATH = {"PATH": "/bin"}


def build() -> list[Path]:
    """The archives of all images; builds those whose inputs have changed.

    Raises:
        RuntimeError: there is no static busybox; the message says how to install it.
    """
    shell = hashlib.sha256(_code() + _busybox().read_bytes()).hexdigest()
    return [
        _cached("pause", shell, _pause),
        _cached("busybox", shell, _shell),
        _cached("kubetune-trainer", _trainer_key(), _trainer),
    ]


def _cached(name: str, key: str, make: Callable[[], Image]) -> Path:
    folder = cache_root() / "images"
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{key[:16]}.tar"
    with locked(folder / ".lock"):
        if not path.exists():
            began = time.monotonic()
            for old in folder.glob(f"{name}-????????????????.tar"):
                old.unlink()  # a cluster that runs has imported it
            archive.write(make(), path)
            size = path.stat().st_size / 1e6
            say(f"Image {name}: {size:.0f} MB in {time.monotonic() - began:.1f} s")
    return path


def _pause() -> Image:
    return Image(PAUSE, _tools(), ("/bin/sleep", "2147483647"), _PATH)


def _shell() -> Image:
    return Image(SHELL, _tools(), ("/bin/sh",), _PATH)


def _trainer() -> Image:
    files = [*python_image.entries(), *_tools()]
    return Image(TRAINER, files, ("kubetune-trainer",), python_image.environment())


def _tools() -> Iterator[Entry]:
    yield Entry("/bin/busybox", _busybox(), mode=0o755)
    for name in ("sh", "sleep", "cat", "echo", "kill", "env", "nc", "head", "mkdir", "ls", "true"):
        yield Entry(f"/bin/{name}", link="busybox")


def _busybox() -> Path:
    found = shutil.which("busybox")
    if not found:
        raise RuntimeError("busybox is missing: apt-get install busybox-static")
    return Path(found)


def _trainer_key() -> str:
    """Changes with the trainer's code, its libraries' versions and this Python."""
    digest = hashlib.sha256(_code() + sys.version.encode())
    for name, found in sorted(python_image.distributions().items()):
        digest.update(f"{name}=={found.version}".encode())
    for path in sorted(python_image.TRAINER.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _code() -> bytes:
    here = Path(__file__).parent
    names = ("archive.py", "images.py", "python_image.py")
    return b"".join((here / name).read_bytes() for name in names)
