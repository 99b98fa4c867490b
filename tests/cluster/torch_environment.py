"""The environment with torch, for pods: too large for an image of tests, so it is mounted.

Its 6 GB would be copied three times on the way into a container: into an archive, into containerd's
store and into a snapshot. The image `kubetune-trainer` has the same Python; with this folder on its
path it has the libraries too.
"""

import subprocess
import sys
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
ENVIRONMENT = REPOSITORY / ".venv-torch"
TARGET = "/opt/torch"


def missing() -> str | None:
    """Why pods cannot have it, in a sentence; None when they can."""
    if not (ENVIRONMENT / "bin" / "python").exists():
        return "a trainer with torch needs .venv-torch: make env-torch"
    if not _packages().exists():
        return (
            f"{ENVIRONMENT} is of another Python than this one: rm -r {ENVIRONMENT}; make env-torch"
        )
    return None


def volume() -> dict[str, Any]:
    """The folder, as a pod's volume."""
    return {"name": "torch", "hostPath": {"path": str(_packages())}}


def mount() -> dict[str, Any]:
    """Where the trainer has it; a pod cannot change it."""
    return {"name": "torch", "mountPath": TARGET, "readOnly": True}


def run(program: str) -> None:
    """Runs a program of the environment here, such as one that makes a tiny model."""
    python = ENVIRONMENT / "bin" / "python"
    subprocess.run([str(python), "-c", program], check=True, capture_output=True)


def _packages() -> Path:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return ENVIRONMENT / "lib" / version / "site-packages"
