"""Tells when a process ends, be it our child or one that another tuner began."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable

from kubetune.adapters.local.processes import birth, send

POLL_SECONDS = 0.05
"""How often a process is looked at where the kernel has no pidfd (macOS, Linux before 5.3)."""


class ExitWatch:
    """Calls back once, in the running event loop, when the process has ended."""

    def __init__(self, pid: int, born: str, on_exit: Callable[[], None]) -> None:
        self._pid, self._born, self._on_exit = pid, born, on_exit
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._descriptor = _pidfd(pid)
        if self._descriptor is not None:
            self._loop.add_reader(self._descriptor, self._fire)
        if self._descriptor is None or not self._alive():
            self._poll()

    def send(self, number: signal.Signals) -> None:
        """Signals this very process, never a later one of the same pid."""
        if self._descriptor is not None and hasattr(signal, "pidfd_send_signal"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(self._descriptor, number)
        elif self._alive():
            send(self._pid, number)

    def close(self) -> None:
        """Watches no longer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._descriptor is not None:
            self._loop.remove_reader(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None

    def _alive(self) -> bool:
        return birth(self._pid) == self._born

    def _poll(self) -> None:
        if self._alive():
            self._timer = self._loop.call_later(POLL_SECONDS, self._poll)
        else:
            self._timer = self._loop.call_later(0, self._fire)

    def _fire(self) -> None:
        self.close()
        self._on_exit()


def _pidfd(pid: int) -> int | None:
    try:
        return os.pidfd_open(pid)
    except (AttributeError, OSError):
        return None
