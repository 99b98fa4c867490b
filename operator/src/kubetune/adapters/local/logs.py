"""The output of a trial, kept within bounds however much it prints.

The trial writes straight into the file: a pipe and a copier would cost every trial a thread and
lose the output of a tuner that is killed. The file is opened for appending, so cutting its
middle out while the trial writes is safe; what is printed in that very moment may be lost.
"""

import os
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

LIMIT_BYTES = 50 * 2**20
"""A log longer than this is cut."""

KEPT_BYTES = 8 * 2**20
"""So much of its beginning and of its end is kept."""

_cutting = threading.Lock()
"""Held while a log is cut: two cuts at once would mix what they keep."""


def open_log(path: Path, attempt: int, command: str, notes: Sequence[str]) -> int:
    """Opens a trial's log for an attempt and writes a header; the descriptor is the caller's."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
    descriptor = os.open(path, flags, 0o644)
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = [f"--- attempt {attempt}, {now}: {command}", *(f"--- {note}" for note in notes)]
    os.write(descriptor, ("\n".join(lines) + "\n").encode(errors="replace"))
    return descriptor


def trim(path: Path, limit: int = LIMIT_BYTES, kept: int = KEPT_BYTES) -> bool:
    """Cuts the middle out of a log that is longer than `limit` bytes; False when it is not."""
    try:
        if path.stat().st_size <= limit:
            return False
        with _cutting, path.open("r+b") as head, path.open("ab", buffering=0) as end:
            size = head.seek(0, os.SEEK_END)
            if size <= limit:
                return False
            head.seek(size - kept)
            tail = head.read(kept)
            dropped = size - 2 * kept
            head.truncate(kept)
            end.write(f"\n--- {dropped} bytes left out\n".encode() + tail)
    except OSError:
        return False
    return True
