"""What a node leaves on its machine, found by the slot and taken away.

Nothing here trusts the node's own bookkeeping: after a crash there is none.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from kubetune.adapters.local.processes import birth
from tests.cluster import processes
from tests.cluster.processes import Record

_CGROUPS = Path("/sys/fs/cgroup")
_LOG_LINKS = Path("/var/log/containers")
_CNI_RESULTS = Path("/var/lib/cni/results")


def bridge(slot: int) -> str:
    """The network device that a node's pods hang on."""
    return f"ktbr{slot}"


def subnet(slot: int) -> str:
    """The pods' addresses; the host has the first one and reaches the others."""
    return f"10.213.{slot}.0/24"


def gateway(slot: int) -> str:
    """The host's address among the pods, and the node's."""
    return f"10.213.{slot}.1"


def services(slot: int) -> str:
    """The addresses of services; only the first one, the API server's, leads anywhere."""
    return f"10.214.{slot}.0/24"


def apiserver(slot: int) -> str:
    """The address at which pods find the API server."""
    return f"10.214.{slot}.1"


def cgroup(slot: int) -> str:
    """The control group above all pods of a node."""
    return f"kubetune-{slot}"


def make_bridge(slot: int) -> None:
    """Makes the device with its addresses, when it is not there."""
    name = bridge(slot)
    if not (Path("/sys/class/net") / name).exists():
        _run("ip", "link", "add", name, "type", "bridge")
        _run("ip", "address", "add", f"{gateway(slot)}/24", "dev", name)
        _run("ip", "address", "add", f"{apiserver(slot)}/32", "dev", name)
    _run("ip", "link", "set", name, "up")


def make_cgroups(slot: int) -> None:
    """Makes the group under each controller, or once where there is one hierarchy."""
    for root in _hierarchies():
        folder = root / cgroup(slot)
        folder.mkdir(exist_ok=True)
        for name in ("cpuset.cpus", "cpuset.mems"):  # version 1: empty sets admit no process
            if (root / name).exists() and not (folder / name).read_text().strip():
                (folder / name).write_text((root / name).read_text())


def kill_pods(slot: int) -> None:
    """Ends every process of a node's pods at once, as a power cut does."""
    for root in _hierarchies():
        for record in _members(root / cgroup(slot)):
            processes.end(record, grace_seconds=0)


def clean(folder: Path, slot: int) -> None:
    """Ends the pods' processes; removes mounts, network and groups. Repeatable."""
    kill_pods(slot)
    for target in reversed(_mounts_under(folder)):
        subprocess.run(["umount", "--lazy", target], check=False, capture_output=True)
    subprocess.run(["ip", "link", "delete", bridge(slot)], check=False, capture_output=True)
    for root in _hierarchies():
        _remove_groups(root / cgroup(slot))
    for link in _LOG_LINKS.glob("*"):
        if link.is_symlink() and link.readlink().is_relative_to(folder):
            link.unlink(missing_ok=True)
    for result in _CNI_RESULTS.glob(f"{cgroup(slot)}-*"):
        result.unlink(missing_ok=True)
    for left in (_LOG_LINKS, _CNI_RESULTS, _CNI_RESULTS.parent):
        with suppress(OSError):
            left.rmdir()  # only when nobody else has anything in it


def missing() -> str | None:
    """What keeps this machine from being a node, in a sentence; None when nothing does."""
    if not Path("/sys/fs/cgroup").exists():
        return "a node needs Linux"
    if os.geteuid() != 0:
        return "a node needs root"
    programs = ("containerd", "ctr", "runc", "ip", "umount", "busybox")
    absent = [name for name in programs if shutil.which(name) is None]
    if not Path("/usr/lib/cni/bridge").exists():
        absent.append("/usr/lib/cni/bridge")
    return f"a node needs {', '.join(absent)}: make cluster-tools" if absent else None


def _hierarchies() -> list[Path]:
    if (_CGROUPS / "cgroup.controllers").exists():
        return [_CGROUPS]
    roots = [path for path in _CGROUPS.glob("*/") if (path / "cgroup.procs").exists()]
    return [path for path in roots if not path.is_symlink()]


def _members(group: Path) -> Iterator[Record]:
    """The processes of a group and those within; groups may go while they are looked through."""
    for folder, _, _ in os.walk(group):
        with suppress(OSError):
            for pid in map(int, Path(folder, "cgroup.procs").read_text().split()):
                if born := birth(pid):
                    yield Record(name="pod", pid=pid, birth=born)


def _remove_groups(group: Path) -> None:
    for folder, _, _ in os.walk(group, topdown=False):
        with suppress(OSError):
            Path(folder).rmdir()


def _mounts_under(folder: Path) -> list[str]:
    """Mount points below a folder, parents before children (proc(5): the fifth word)."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [point for line in lines if (point := line.split()[4]).startswith(f"{folder}/")]


def _run(*words: str) -> None:
    subprocess.run(words, check=True, capture_output=True)
