"""Finds the runs that a tuner which is gone left in its folder."""

import contextlib
from pathlib import Path

from kubetune.adapters.local.attempt import Attempt
from kubetune.adapters.local.ending import kill
from kubetune.adapters.local.files import Record, RunFiles, read_records
from kubetune.adapters.local.processes import birth, first_of


def left_behind(folder: Path) -> list[Attempt]:
    """The runs of a folder's journals: those that live, and those that ended unseen or untold.

    An intent without a process is looked for by its mark. What was never begun is forgotten:
    its trial is then launched as if for the first time.
    """
    found = []
    for files, record in read_records(folder):
        attempt = _attempt(files, record) if record else None
        if attempt is not None:
            found.append(attempt)
        else:
            with contextlib.suppress(OSError):
                files.journal.unlink()
    return found


def _attempt(files: RunFiles, record: Record) -> Attempt | None:
    attempt = Attempt(files, record)
    if record.pid is not None or attempt.ended:
        return attempt
    asked_at = files.journal.stat().st_mtime
    pid = first_of(record.uid)
    if pid is not None:
        attempt.note(pid=pid, birth=birth(pid) or "", started_at=asked_at)
        return attempt
    if not files.message():
        return None
    kill([attempt])
    attempt.note(started_at=asked_at)
    attempt.end()
    return attempt
