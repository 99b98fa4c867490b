"""The folder of one cluster: whose it is, which numbers it has, and how it is left without a trace.

Each cluster has a slot, a small number that no other living cluster has. Its ports and its pods'
addresses follow from it, so that several clusters run beside each other and a program that is
stopped finds its own port free again.
"""

import json
import os
import shutil
from pathlib import Path

from kubetune.adapters.local.processes import birth
from tests.cluster import machine, processes
from tests.cluster.places import locked, running_root
from tests.cluster.ports import bindable

PORTS = (
    "etcd",
    "etcd-peer",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kubelet-health",
    "prometheus",
    "kwok",
    "containerd",
)

_FIRST_PORT = 21000  # below the range from which Linux takes ports for outgoing connections
_SLOT_PORTS = 20
_SLOTS = 200


class Home:
    """One cluster's folder, slot and ports."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.slot = int(json.loads((folder / "home.json").read_text())["slot"])

    @property
    def name(self) -> str:
        """The name that the folder bears."""
        return self.folder.name

    def port(self, name: str) -> int:
        """The port of a program: the same for as long as the cluster lives."""
        return _port(self.slot, name)

    def make(self, name: str) -> Path:
        """A subfolder, made when it is not there."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True, parents=True, mode=0o700)
        return folder


def claim(name: str, *, owner: int | None) -> Home:
    """A folder and a slot for a new cluster; what crashed clusters left is ended before.

    Args:
        name: must not be in use.
        owner: the process with which the cluster ends; None keeps it until it is asked to end.
    """
    end_leftovers()
    with locked(running_root() / ".lock"):
        folder = running_root() / name
        folder.mkdir(mode=0o700)
        slot = _free_slot()
        said = {"slot": slot, "owner": owner, "birth": owner and birth(owner)}
        draft = folder / "home.json.new"
        draft.write_text(json.dumps(said))
        draft.replace(folder / "home.json")
        return Home(folder)


def end_leftovers() -> None:
    """Ends every cluster whose owner is dead: a killed test run's, at the next start."""
    with locked(running_root() / ".lock"):
        for folder in sorted(running_root().glob("*/")):
            if _abandoned(folder):
                erase(folder)


def erase(folder: Path) -> None:
    """Ends every process of a cluster and takes all that it made off the machine; repeatable."""
    for record in reversed(processes.records(folder)):
        processes.end(record, grace_seconds=0)
    processes.end_marked(folder)
    if (folder / "containerd").exists() and (folder / "home.json").exists():
        machine.clean(folder, Home(folder).slot)
    for part in folder.glob("*/"):
        shutil.rmtree(part, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)  # the slot is free only when all else is gone


def _abandoned(folder: Path) -> bool:
    try:
        said = json.loads((folder / "home.json").read_text())
    except (OSError, ValueError):
        return True  # killed between making the folder and writing who it belongs to
    return said["owner"] is not None and birth(said["owner"]) != said["birth"]


def _free_slot() -> int:
    taken = {Home(file.parent).slot for file in running_root().glob("*/home.json")}
    start = os.getpid() % _SLOTS  # users who share a machine but no folder seldom meet
    order = ((start + step) % _SLOTS for step in range(_SLOTS))
    return next(slot for slot in order if slot not in taken and _free(slot))


def _free(slot: int) -> bool:
    return all(bindable(_port(slot, name)) for name in PORTS)


def _port(slot: int, name: str) -> int:
    return _FIRST_PORT + slot * _SLOT_PORTS + PORTS.index(name)
