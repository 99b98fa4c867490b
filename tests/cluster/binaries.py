"""The Kubernetes that the tests run: found, or built from its Go modules into a cache.

Looked for in `KUBEBUILDER_ASSETS`, then on PATH, then in the cache; built there else.
"""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.cluster import golang
from tests.cluster.places import cache_root, locked, say

VERSION = "1.36.3"

_MODULE = Path(__file__).parent / "binaries"
_STAMP = "k8s.io/component-base/version"
_FLAGS = (
    "-trimpath",
    "-buildvcs=false",
    "-ldflags",
    f"-s -w -X {_STAMP}.gitVersion=v{VERSION} -X {_STAMP}.gitMajor=1 -X {_STAMP}.gitMinor=36",
)
PACKAGES = {
    "etcd": "go.etcd.io/etcd/server/v3",
    **{
        name: f"k8s.io/kubernetes/cmd/{name}"
        for name in (
            "kube-apiserver",
            "kube-controller-manager",
            "kube-scheduler",
            "kubelet",
            "kubectl",
        )
    },
}
"""Each program and the Go package that it is built from."""

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Binary:
    """One program and the place it was taken from."""

    path: Path
    source: str


@cache
def find() -> dict[str, Binary]:
    """Every program; builds those that are nowhere, which takes about seven minutes from cold.

    Raises:
        RuntimeError: `KUBEBUILDER_ASSETS` holds another version; there is no Go to build with.
    """
    found = {name: _look(name) for name in PACKAGES}
    if any(binary is None for binary in found.values()):
        folder = cache_root() / "cluster" / key()
        _build(folder)
        for name in PACKAGES:
            found[name] = found[name] or Binary(folder / name, "cache")
    return {name: binary for name, binary in found.items() if binary}


def key() -> str:
    """Names a build by all that goes into it."""
    digest = hashlib.sha256(repr(_FLAGS).encode())
    for name in ("go.mod", "go.sum", "tools.go"):
        digest.update((_MODULE / name).read_bytes())
    return digest.hexdigest()[:16]


def describe() -> str:
    """Says where the programs were taken from."""
    sources = {binary.source: str(binary.path.parent) for binary in find().values()}
    return f"Kubernetes {VERSION} from " + ", ".join(f"{at} ({of})" for of, at in sources.items())


def _look(name: str) -> Binary | None:
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and (path := Path(assets) / name).exists():
        if not _fits(name, path):
            raise RuntimeError(f"KUBEBUILDER_ASSETS: {path} is not of Kubernetes 1.36")
        return Binary(path, "KUBEBUILDER_ASSETS")
    if (on_path := shutil.which(name)) and _fits(name, Path(on_path)):
        return Binary(Path(on_path), "PATH")
    return None


def _fits(name: str, path: Path) -> bool:
    """Whether a program is of our minor version; any etcd 3 from 3.5 on serves."""
    words = ["version", "--client"] if name == "kubectl" else ["--version"]
    said = subprocess.run([path, *words], capture_output=True, text=True, check=False).stdout
    wanted = r"etcd Version: 3\.([5-9]|\d\d)" if name == "etcd" else r"v1\.36\."
    return re.search(wanted, said) is not None


def _build(folder: Path) -> None:
    """Builds into the cache; whole or not at all, however many ask at once."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with locked(folder.parent / f".{folder.name}.lock"):
        if folder.exists():
            return
        for abandoned in folder.parent.glob(f".{folder.name}-*"):
            shutil.rmtree(abandoned)
        with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as name:
            draft = Path(name) / "bin"
            say(f"Building Kubernetes {VERSION} into {folder}: about 7 minutes from cold")
            for number, (program, package) in enumerate(PACKAGES.items(), 1):
                say(f"  {number} of {len(PACKAGES)}: {program}")
                golang.build(_MODULE, package, draft / program, _FLAGS)
            draft.rename(folder)
