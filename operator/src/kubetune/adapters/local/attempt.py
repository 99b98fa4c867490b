"""One attempt as a process: what the executor remembers of it while it lives."""

import asyncio
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kubetune.adapters.local.files import Record, RunFiles
from kubetune.adapters.local.processes import birth
from kubetune.adapters.local.watch import ExitWatch
from kubetune.domain.runs import Run

log = logging.getLogger(__name__)


class Attempt:
    """A run and its process. The journal is written before and after every step that counts."""

    def __init__(self, files: RunFiles, record: Record) -> None:
        self.files = files
        self.record = record
        self.waiting = ""
        self.over = asyncio.Event()
        self._journaled = files.journal.exists()
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: ExitWatch | None = None
        self._message = files.message() if self.ended else b""

    @property
    def run(self) -> Run:
        """The run as the engine sees it."""
        return self.record.run(self._message, self.waiting)

    @property
    def ended(self) -> bool:
        """Whether it is over, with all that belonged to it."""
        return self.record.ended_at is not None

    @property
    def live(self) -> bool:
        """Whether it has a process and is not over."""
        return self.record.pid is not None and not self.ended

    def spawn(
        self,
        words: Sequence[str],
        *,
        environment: Mapping[str, str],
        folder: Path,
        output: int,
    ) -> None:
        """Starts the process, in a session of its own.

        The journal knows the run before it exists, so that a tuner killed in between finds it
        by its mark and does not start it twice.

        Raises:
            OSError, ValueError: the machine refuses to start it.
        """
        record = self.record
        self.files.append(
            number=record.number,
            attempt=record.attempt,
            uid=record.uid,
            port=record.port,
            gpus=record.gpus,
        )
        self._journaled = True
        self._process = subprocess.Popen(  # noqa: S603 - the manifest's own command, no shell
            words,
            env=environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        pid = self._process.pid
        self.note(pid=pid, birth=birth(pid) or "", started_at=time.time())

    def watch(self, on_exit: Callable[[], None]) -> None:
        """Calls back once when the process has ended."""
        if self.record.pid is not None:
            self._watch = ExitWatch(self.record.pid, self.record.birth, on_exit)

    def terminate(self) -> None:
        """Asks the first process to end. As in a pod, it alone is told."""
        if not self.record.stopping:
            self.note(stopping=True)
        if self._watch is not None:
            self._watch.send(signal.SIGTERM)

    def reap(self) -> int | None:
        """The exit code of the ended process, 128 + signal; None when it was not our child."""
        if self._process is None:
            return None
        code = self._process.wait()
        return 128 - code if code < 0 else code

    def end(self, code: int | None = None, *, launch_error: str = "") -> None:
        """Notes the end, with the termination message as it stands now."""
        self._message = b"" if launch_error else self.files.message()
        self.note(ended_at=time.time(), code=code, launch_error=launch_error)
        self.release()
        self.over.set()

    def note(self, **changes: Any) -> None:
        """Remembers a change, here and, once the journal is begun, there.

        A full disk must not lose a process that runs: it is then known to this tuner alone.
        """
        self.record = replace(self.record, **changes)
        try:
            if self._journaled:
                self.files.append(**changes)
        except OSError as error:
            log.warning("the journal of trial %d is not written: %s", self.record.number, error)

    def release(self) -> None:
        """Watches no longer; the process is left as it is."""
        if self._watch is not None:
            self._watch.close()
            self._watch = None


def new_uid() -> str:
    """An identity no other run has."""
    return os.urandom(8).hex()
