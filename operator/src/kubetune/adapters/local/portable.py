"""The processes of a machine without /proc (macOS), by psutil."""

import os
from collections.abc import Iterator

import psutil  # type: ignore[import-untyped]  # it ships no types

from kubetune.adapters.local.processes import Process


def everyone() -> Iterator[Process]:
    """Every process that may be looked at."""
    for pid in psutil.pids():
        if process := read(pid):
            yield process


def read(pid: int) -> Process | None:
    """One process; None when it is gone or may not be looked at."""
    try:
        process = psutil.Process(pid)
        with process.oneshot():
            return Process(
                pid=pid,
                parent=process.ppid(),
                group=os.getpgid(pid),
                session=os.getsid(pid),
                birth=repr(process.create_time()),
                zombie=process.status() == psutil.STATUS_ZOMBIE,
                environment=lambda: _environment(pid),
            )
    except (psutil.Error, OSError):
        return None


def _environment(pid: int) -> bytes:
    try:
        variables = psutil.Process(pid).environ()
    except (psutil.Error, OSError):
        return b""
    block = "".join(f"{name}={value}\0" for name, value in variables.items())
    return block.encode(errors="surrogateescape")
