"""The operator's image, built from its own Dockerfile.

Images by name are not to be had on every machine that runs the tests, so what stands in for
`python:3.11-slim-bookworm` is made from Debian's packages: the same system and the same Python.
"""

import hashlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.cluster.places import cache_root, locked, say

NAME = "docker.io/library/kubetune-operator:test"

_ROOT = Path(__file__).parents[2]
_BASE = "localhost/kubetune-python-base"
_INPUTS = ("operator/Dockerfile", "pyproject.toml", "uv.lock", "trainer-image/pyproject.toml")
_PACKAGES = "python3,python3-pip,ca-certificates"
_CERTIFICATES = "/etc/ssl/certs"


def build() -> Path:
    """The image's archive; built anew when something that it is made of has changed.

    Raises:
        RuntimeError: it cannot be built; the message is the builder's.
    """
    folder = cache_root() / "images"
    folder.mkdir(exist_ok=True)
    path = folder / f"kubetune-operator-{_key()}.tar"
    with locked(folder / ".operator.lock"):
        if not path.exists():
            began = time.monotonic()
            say("Building the operator's image: two minutes from cold")
            _build_base()
            _build(path)
            say(f"Image kubetune-operator: built in {time.monotonic() - began:.0f} s")
    return path


def _build_base() -> None:
    """Debian with its Python, where that is not there yet."""
    if _BASE in _buildah("images", "--format", "{{.Name}}"):
        return
    archive = cache_root() / "images" / "base.tar"
    steps = (
        'rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED',
        'ln -s python3 "$1"/usr/bin/python',
    )
    hooks = [f"--customize-hook={step}" for step in steps]
    words = ["--variant=minbase", f"--include={_PACKAGES}", *hooks, "bookworm", str(archive)]
    _run("mmdebstrap", "--mode=root", "--quiet", *words)
    container = _buildah("from", "scratch").strip()
    _buildah("add", "--quiet", container, str(archive), "/")
    trust = f"SSL_CERT_FILE={_CERTIFICATES}/ca-certificates.crt"
    _buildah("config", "--env", trust, "--cmd", "python3", container)
    _buildah("commit", "--quiet", "--rm", container, _BASE)
    archive.unlink()


def _build(path: Path) -> None:
    """Builds the Dockerfile as `make images` does and writes the archive; whole or not at all."""
    trusted = f"{_CERTIFICATES}:{_CERTIFICATES}:ro"
    words = [
        "--isolation=chroot",
        "--layers=false",
        f"--build-arg=PYTHON_IMAGE={_BASE}",
        f"-v={trusted}",
    ]
    file = str(_ROOT / "operator" / "Dockerfile")
    _buildah("build", "--quiet", *words, f"--file={file}", f"--tag={NAME}", str(_ROOT))
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    _buildah("push", "--quiet", NAME, f"docker-archive:{draft}:{NAME}")
    for old in path.parent.glob("kubetune-operator-*.tar"):
        old.unlink()
    draft.rename(path)
    _buildah("rmi", "--prune", "--force")


def _buildah(*words: str) -> str:
    """With a storage of our own: images of the machine's user are not touched."""
    store = cache_root() / "buildah"
    places = [f"--root={store / 'root'}", f"--runroot={store / 'run'}", "--storage-driver=overlay"]
    return _run("buildah", *places, *words)


def _run(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{words[0]} failed: {(done.stderr or done.stdout)[-2000:]}")
    return done.stdout


def _key() -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes())
    for path in _inputs():
        digest.update(str(path.relative_to(_ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()[:16]


def _inputs() -> Iterator[Path]:
    yield from (_ROOT / name for name in _INPUTS)
    yield from sorted((_ROOT / "operator" / "src").rglob("*.py"))
