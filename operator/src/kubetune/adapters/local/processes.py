"""The processes of this machine: who is who, and all that belongs to a run.

A process belongs to a run when it is in the session or group that the run began, carries the
run's mark in its environment, or descends from one that does. A daemon that leaves the session
keeps the mark; only one that leaves the session, loses its parents and clears its environment is
not found.
"""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kubetune.adapters.local.environment import RUN_MARK

_PROC = Path("/proc")
_KILL_ROUNDS = 40


@dataclass(frozen=True, slots=True)
class Process:
    """One process. `birth` differs between two processes that had the same pid."""

    pid: int
    parent: int
    group: int
    session: int
    birth: str
    zombie: bool
    environment: Callable[[], bytes]


def birth(pid: int) -> str | None:
    """When the process of this pid began; None when there is none or it is a zombie."""
    process = _read(pid)
    return None if process is None or process.zombie else process.birth


def family(uid: str, pid: int | None, born: str) -> set[int]:
    """The pids of all live processes of a run, its first one included.

    The session is a criterion only while its number has not passed to another process.
    """
    mark = f"{RUN_MARK}={uid}\0".encode()
    if _has_proc() and not any(_belongs(other, pid, mark) for other in _pids()):
        return set()
    table = [process for process in _all() if not process.zombie and process.pid != os.getpid()]
    reused = any(process.pid == pid and process.birth != born for process in table)
    found = {
        process.pid
        for process in table
        if (not reused and pid in (process.session, process.group)) or mark in process.environment()
    }
    grown = True
    while grown:
        children = {process.pid for process in table if process.parent in found} - found
        found |= children
        grown = bool(children)
    return found


def first_of(uid: str) -> int | None:
    """The pid of the process that a run began with, by its mark; None when it is gone."""
    mark = f"{RUN_MARK}={uid}\0".encode()
    marked = [process for process in _all() if not process.zombie and mark in process.environment()]
    return next((process.pid for process in marked if process.session == process.pid), None)


async def end_family(uid: str, pid: int | None, born: str) -> None:
    """Kills all that belongs to a run until nothing is left, or the kernel will not let go."""
    for pause in range(_KILL_ROUNDS):
        members = family(uid, pid, born)
        if not members:
            return
        for member in members:
            send(member, signal.SIGKILL)
        await asyncio.sleep(0.002 * (pause + 1))


def send(pid: int, number: signal.Signals) -> None:
    """Sends a signal to one process; a no-op when it is gone or is not ours."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def _all() -> Iterator[Process]:
    if not _has_proc():
        from kubetune.adapters.local import portable  # noqa: PLC0415 - 40 ms Linux need not pay

        yield from portable.everyone()
        return
    for pid in _pids():
        if process := _read_proc(pid):
            yield process


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdecimal()]  # noqa: PTH208 - quick


def _belongs(pid: int, leader: int | None, mark: bytes) -> bool:
    """Whether a process may be of a run: a third of the time that a table of all takes."""
    try:
        if leader in (os.getsid(pid), os.getpgid(pid)):
            return True
    except OSError:
        return False
    return mark in _environment(pid)


@cache
def _has_proc() -> bool:
    return (_PROC / "self" / "stat").exists()


def _read(pid: int) -> Process | None:
    if _has_proc():
        return _read_proc(pid)
    from kubetune.adapters.local import portable  # noqa: PLC0415 - as above

    return portable.read(pid)


def _read_proc(pid: int) -> Process | None:
    """One process by /proc/<pid>/stat (proc(5)): after the name come state, parent, group ..."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - a third of Path.open's time
            words = file.read().rpartition(b")")[2].split()
    except OSError:
        return None
    state, parent, group, session, ticks = words[0], words[1], words[2], words[3], words[19]
    return Process(
        pid=pid,
        parent=int(parent),
        group=int(group),
        session=int(session),
        birth=f"{_boot()}-{ticks.decode()}",
        zombie=state in b"ZX",
        environment=lambda: _environment(pid),
    )


def _environment(pid: int) -> bytes:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:  # noqa: PTH123 - as above
            return file.read()
    except OSError:
        return b""


@cache
def _boot() -> str:
    try:
        return (_PROC / "sys" / "kernel" / "random" / "boot_id").read_text().strip()
    except OSError:
        return "boot"
