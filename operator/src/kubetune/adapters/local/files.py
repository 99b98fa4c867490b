"""Where a run's folder keeps what, and the journal from which a killed tuner's runs are found.

    <folder>/live/<number>-<attempt>.jsonl          journal of a run whose result is not yet stored
    <folder>/trials/<number>/stdout.log             output of every attempt, one after the other
    <folder>/trials/<number>/checkpoint/            one for all attempts, so that a retry resumes
    <folder>/trials/<number>/attempt-<k>.result     the termination message
    <folder>/trials/<number>/attempt-<k>.jsonl      the journal, moved here once the run is removed

A journal is lines of JSON, each adding to those before it: the intent (before the process
exists), the process, the stop, the end. One write a line, so that a kill leaves at worst a torn
last line, which is ignored.
"""

import json
import os
import shutil
import stat
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from kubetune.domain.runs import Exit, Run, RunState

MESSAGE_LIMIT = 4097
"""Bytes read of a termination message: one more than a legal one may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What a journal says of a run. `birth` tells a process from a later one of the same pid."""

    number: int
    attempt: int
    uid: str
    port: int = 0
    gpus: tuple[str, ...] = ()
    pid: int | None = None
    birth: str = ""
    started_at: float | None = None
    stopping: bool = False
    ended_at: float | None = None
    code: int | None = None
    launch_error: str = ""

    def run(self, message: bytes, waiting: str) -> Run:
        """The run as the engine sees it; `message` counts once it has ended."""
        state, exit_ = RunState.PENDING if self.pid is None else RunState.RUNNING, None
        if self.ended_at is not None:
            state = RunState.ENDED
            exit_ = Exit(code=self.code, message=message, launch_error=self.launch_error)
        return Run(
            number=self.number,
            attempt=self.attempt,
            uid=self.uid,
            state=state,
            stopping=self.stopping,
            started_at=self.started_at,
            ended_at=self.ended_at,
            exit=exit_,
            waiting=waiting if state is RunState.PENDING else "",
        )


@dataclass(frozen=True, slots=True)
class RunFiles:
    """The files of one attempt."""

    folder: Path
    number: int
    attempt: int

    @property
    def trial(self) -> Path:
        """The trial's folder."""
        return self.folder / "trials" / str(self.number)

    @property
    def log(self) -> Path:
        """What the trial printed."""
        return self.trial / "stdout.log"

    @property
    def checkpoint(self) -> Path:
        """Where the trial keeps its checkpoints, over all attempts."""
        return self.trial / "checkpoint"

    @property
    def result(self) -> Path:
        """Where the trial writes its termination message."""
        return self.trial / f"attempt-{self.attempt}.result"

    @property
    def journal(self) -> Path:
        """The journal of a run that is not yet removed."""
        return self.folder / "live" / f"{self.number}-{self.attempt}.jsonl"

    def prepare(self) -> None:
        """Makes the folders, and clears what an earlier launch of this attempt left."""
        self.journal.parent.mkdir(parents=True, exist_ok=True)
        self.checkpoint.mkdir(parents=True, exist_ok=True)
        try:
            self.result.unlink()
        except FileNotFoundError:
            pass
        except OSError:
            shutil.rmtree(self.result)  # a trial made a folder of it

    def append(self, **changes: Any) -> None:
        """Adds a line to the journal."""
        line = json.dumps(changes, separators=(",", ":")) + "\n"
        descriptor = os.open(self.journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, line.encode())
        finally:
            os.close(descriptor)

    def retire(self) -> None:
        """Puts the journal away: the run is no longer found when the folder is opened again."""
        try:
            self.journal.replace(self.trial / f"attempt-{self.attempt}.jsonl")
        except OSError:
            self.journal.unlink(missing_ok=True)

    def message(self) -> bytes:
        """The termination message; empty when there is none, or no plain file at its place."""
        try:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            descriptor = os.open(self.result, flags)
        except OSError:
            return b""
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return b""
            return os.read(descriptor, MESSAGE_LIMIT)
        except OSError:
            return b""
        finally:
            os.close(descriptor)


def read_record(journal: Path) -> Record | None:
    """What a journal says; None when not even its first line is whole (nothing was started)."""
    try:
        lines = journal.read_bytes().split(b"\n")[:-1]
    except OSError:
        return None
    known = {field.name for field in fields(Record)}
    record: Record | None = None
    for line in lines:
        try:
            changes = {key: value for key, value in json.loads(line).items() if key in known}
            if "gpus" in changes:
                changes["gpus"] = tuple(changes["gpus"])
            record = replace(record, **changes) if record else Record(**changes)
        except (ValueError, TypeError, AttributeError):
            break
    return record


def read_records(folder: Path) -> list[tuple[RunFiles, Record | None]]:
    """Every journal of runs not yet removed, in order of trials and attempts."""
    found = []
    for journal in (folder / "live").glob("*-*.jsonl"):
        number, _, attempt = journal.stem.partition("-")
        if number.isdecimal() and attempt.isdecimal():
            files = RunFiles(folder, int(number), int(attempt))
            found.append((files, read_record(files.journal)))
    return sorted(found, key=lambda pair: (pair[0].number, pair[0].attempt))


def find_checkpoints(folder: Path) -> set[int]:
    """The trials of a run's folder that have a checkpoint."""
    found = (folder / "trials").glob("*/checkpoint")
    return {int(path.parent.name) for path in found if path.parent.name.isdecimal()}


def drop_checkpoint(folder: Path, number: int) -> None:
    """Deletes a trial's checkpoint; what cannot be deleted stays, and harms nothing."""
    path = RunFiles(folder, number, 1).checkpoint
    if path.is_symlink():  # a trial put it there: what it points to is not ours
        path.unlink(missing_ok=True)
    else:
        shutil.rmtree(path, ignore_errors=True)
