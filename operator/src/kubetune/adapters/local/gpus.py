"""The GPUs of this machine, shared out so that no two live runs hold the same one."""

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"

_UUID = re.compile(r"UUID: ((?:GPU|MIG)-[^)\s]+)")
_DRIVER = Path("/proc/driver/nvidia/gpus")


class Gpus:
    """Which GPUs are taken. `devices` are names as `CUDA_VISIBLE_DEVICES` takes them."""

    def __init__(self, devices: Sequence[str]) -> None:
        self.devices = tuple(devices)
        self._taken: set[str] = set()

    def take(self, count: int) -> tuple[str, ...] | None:
        """`count` free ones, none when the machine has none at all; None: wait for a run's end."""
        if not self.devices:
            return ()
        free = [device for device in self.devices if device not in self._taken]
        if len(free) < count:
            return None
        self._taken.update(free[:count])
        return tuple(free[:count])

    def hold(self, devices: Sequence[str]) -> None:
        """Marks those of a run that was found alive."""
        self._taken.update(devices)

    def free(self, devices: Sequence[str]) -> None:
        """Gives back those of a run that ended."""
        self._taken.difference_update(devices)


def find_gpus(environ: Mapping[str, str], listing: Callable[[], str] | None = None) -> list[str]:
    """The GPUs that this process may use, by `CUDA_VISIBLE_DEVICES` or else by the driver.

    As in CUDA, a list ends at the first name that can be none (`-1`, `NoDevFiles`).
    """
    visible = environ.get(VISIBLE)
    if visible is not None:
        found: list[str] = []
        for name in map(str.strip, visible.split(",")):
            if not (name.isdecimal() or name.startswith(("GPU-", "MIG-"))):
                break
            found.append(name)
        return found
    return parse_listing((listing or _nvidia_smi)()) or _driver_gpus()


def parse_listing(text: str) -> list[str]:
    """The identifiers in the output of `nvidia-smi -L`; a GPU cut into MIG slices is its slices."""
    found: list[str] = []
    whole = ""
    for line in text.splitlines():
        match = _UUID.search(line)
        if match is None:
            continue
        if match.group(1).startswith("GPU-"):
            whole = match.group(1)
        elif whole and found[-1:] == [whole]:
            found.pop()
        found.append(match.group(1))
    return found


def _nvidia_smi() -> str:
    try:
        answer = subprocess.run(
            ["nvidia-smi", "-L"],  # noqa: S607 - found on PATH, as on every NVIDIA machine
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout


def _driver_gpus() -> list[str]:
    try:
        return [str(index) for index, _ in enumerate(os.listdir(_DRIVER))]  # noqa: PTH208 - counted
    except OSError:
        return []
