"""A run's folder: what lies where, who may use it, and whose it is.

`study.yaml` the manifest as last run, `study.json` the study's identity, `trials.sqlite3` every
trial, `trials/<n>/` each trial's output and checkpoint, and the report beside them.
"""

import fcntl
import json
import os
import shutil
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

from kubetune.cli.output import fail

DATABASE = "trials.sqlite3"

_WRITTEN = (
    "study.yaml",
    DATABASE,
    "trials",
    "results.json",
    "REPORT.md",
    "best_config.yaml",
    "plots",
)
"""What a run writes into its folder once `study.json` is there."""


@dataclass(slots=True)
class RunFolder:
    """One run's folder, locked while it is held: two tuners never share one."""

    path: Path
    uid: str
    resumed: bool
    _lock: IO[str]

    @property
    def storage(self) -> str:
        """The URL of the run's database."""
        return storage_url(self.path)

    def keep_manifest(self, manifest: Path, text: str | None, trials: int) -> None:
        """Keeps the manifest as it was run, and how many trials the command line asked for.

        `text` is the manifest where patches were laid over its file; None where the file is all.
        """
        file = self.path / "study.json"
        _write(file, {**json.loads(file.read_text()), "trials": trials})
        target = self.path / "study.yaml"
        if text is not None:
            target.write_text(text, encoding="utf-8")
        elif manifest.resolve() != target.resolve():
            shutil.copyfile(manifest, target)

    def release(self) -> None:
        """Lets the folder go."""
        self._lock.close()


def storage_url(path: Path) -> str:
    """The URL of the database in a run's folder, whatever letters its path has."""
    from sqlalchemy.engine import URL  # noqa: PLC0415 - only where a database is opened

    return URL.create("sqlite", database=str(path.resolve() / DATABASE)).render_as_string()


def take(path: Path, study: str) -> RunFolder:
    """Takes a folder for a study, made where it is missing.

    Ends the program when another tuner holds it or it is another study's.
    """
    with ExitStack() as refused:
        try:
            _holds_run(path)
            path.mkdir(parents=True, exist_ok=True)
            lock = refused.enter_context(_lock(path))
            identity, resumed = _identity(path, study)
        except OSError as error:
            fail(f"{path} cannot be used: {error.strerror or error}; choose another folder with -o")
        refused.pop_all()
    return RunFolder(path, identity, resumed, lock)


def set_aside(path: Path) -> Path | None:
    """Moves an older run out of the way, under a name with the time; None when there is none.

    Ends the program when another tuner holds it, and when the folder is something else: nobody
    wants to see a home folder renamed.
    """
    if not _holds_run(path):
        return None
    _lock(path).close()
    stamp = time.strftime("%Y%m%d-%H%M%S")
    aside = path.with_name(f"{path.name}-{stamp}")
    tries = 1
    while aside.exists():
        tries += 1
        aside = path.with_name(f"{path.name}-{stamp}-{tries}")
    try:
        path.rename(aside)
    except OSError as error:
        fail(f"{path} cannot be moved: {error.strerror or error}; choose another folder with -o")
    return aside


def _holds_run(path: Path) -> bool:
    """Whether a run lies there; refuses a folder whose files a run would overwrite."""
    if (path / "study.json").exists():
        return True
    if found := [name for name in _WRITTEN if (path / name).exists()]:
        fail(f"{path} holds {found[0]}, but is no run's folder; choose another folder with -o")
    return False


def _lock(path: Path) -> IO[str]:
    """A lock that the kernel drops with its process: none is ever stale."""
    file = (path / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.seek(0)
        holder = file.read(32).strip() or "unknown"
        file.close()
        fail(f"{path} is in use by another kubetune (process {holder}); wait for it, or use -o")
    file.truncate(0)
    file.write(f"{os.getpid()}\n")
    file.flush()
    return file


def trials_asked(path: Path) -> int | None:
    """How many trials the last run of a folder asked for; None when it does not say."""
    try:
        return int(json.loads((path / "study.json").read_text())["trials"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(file: Path, known: dict[str, Any]) -> None:
    draft = file.with_suffix(".tmp")
    draft.write_text(json.dumps(known, indent=2) + "\n")
    draft.replace(file)


def _identity(path: Path, study: str) -> tuple[str, bool]:
    file = path / "study.json"
    if not file.exists():
        uid = str(uuid4())
        known = {"schema": 1, "study": study, "uid": uid, "created": time.time()}
        _write(file, known)
        return uid, False
    try:
        known = json.loads(file.read_text())
        name, uid = str(known["study"]), str(known["uid"])
    except (ValueError, KeyError, TypeError):
        fail(f"{file} is damaged; move {path} away, or use --fresh to do that")
    if name != study:
        fail(f"{path} holds the study '{name}', not '{study}'; use another folder with -o")
    return uid, True
