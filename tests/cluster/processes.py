"""A cluster's programs: started with a pid file, ended by their own id and birth.

A pid alone may have passed to a stranger; with the time of its birth it names one process for ever.
"""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from kubetune.adapters.local.processes import birth, send

MARK = "KUBETUNE_TEST_CLUSTER"
"""Carried in the environment of every process of a cluster; its value is the cluster's folder."""

_POLL_SECONDS = 0.02

_children: dict[int, "subprocess.Popen[bytes]"] = {}
"""Those that this process started: they are zombies until it asks for them."""


@dataclass(frozen=True, slots=True)
class Record:
    """What a pid file says of one program."""

    name: str
    pid: int
    birth: str

    @property
    def alive(self) -> bool:
        """Whether that very process lives."""
        return birth(self.pid) == self.birth


def start(
    folder: Path,
    name: str,
    words: Sequence[str | Path],
    environment: Mapping[str, str] | None = None,
) -> Record:
    """Starts a program in a session of its own; its output goes to `logs/<name>.log`."""
    log = folder / "logs" / f"{name}.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            [str(word) for word in words],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=folder,
            env={**os.environ, **(environment or {}), MARK: str(folder)},
            start_new_session=True,
        )
    _children[process.pid] = process
    record = Record(name=name, pid=process.pid, birth=birth(process.pid) or "")
    _write(folder / "pids" / f"{name}.json", record)
    return record


def read(folder: Path, name: str) -> Record | None:
    """The record of a program that was started and not stopped; it may have died since."""
    try:
        said = json.loads((folder / "pids" / f"{name}.json").read_text())
    except (OSError, ValueError):
        return None
    return Record(name=name, pid=int(said["pid"]), birth=str(said["birth"]))


def records(folder: Path) -> list[Record]:
    """Every program of a cluster, in the order of their start."""
    files = sorted((folder / "pids").glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
    return [record for file in files if (record := read(folder, file.stem))]


def stop(folder: Path, name: str, *, grace_seconds: float = 5.0) -> None:
    """Asks a program to end, kills it after the grace; a no-op when it does not run."""
    if record := read(folder, name):
        end(record, grace_seconds=grace_seconds)
        (folder / "pids" / f"{name}.json").unlink(missing_ok=True)


def end(record: Record, *, grace_seconds: float) -> None:
    """Ends one process and returns when it is gone."""
    first = signal.SIGTERM if grace_seconds > 0 else signal.SIGKILL
    kill_at = time.monotonic() + grace_seconds
    if record.alive:
        send(record.pid, first)
    while record.alive:
        if time.monotonic() > kill_at:
            send(record.pid, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)
    if child := _children.pop(record.pid, None):
        child.wait()


def end_marked(folder: Path) -> None:
    """Kills whatever still carries the cluster's mark: programs that programs have started."""
    while marked := list(_marked(folder)):
        for record in marked:
            end(record, grace_seconds=0)


def _marked(folder: Path) -> Iterator[Record]:
    mark = f"{MARK}={folder}\0".encode()
    for pid in (int(entry.name) for entry in Path("/proc").glob("[0-9]*")):
        with suppress(OSError):
            if mark in (Path("/proc") / str(pid) / "environ").read_bytes() and (born := birth(pid)):
                yield Record(name="marked", pid=pid, birth=born)


def _write(path: Path, record: Record) -> None:
    path.parent.mkdir(exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps({"pid": record.pid, "birth": record.birth}))
    draft.replace(path)
