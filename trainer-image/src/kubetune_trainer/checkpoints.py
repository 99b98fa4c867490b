"""Checkpoints of one trial: whole or not there, however the process ends."""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kubetune_trainer.curve import Point
from kubetune_trainer.live import Reported

_PREFIX = "step-"
_RECORD = "trial.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What the trial itself must know to go on: where it was and what it had reported."""

    step: int
    metrics: Mapping[str, Reported] = field(default_factory=dict)
    curve: tuple[Point, ...] = ()


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A complete checkpoint: the recipe's files in `folder`, the trial's own record."""

    folder: Path
    record: Record


def latest(root: Path) -> Checkpoint | None:
    """The newest complete checkpoint under `root`; None when there is none."""
    for folder in sorted(_complete(root), key=_step, reverse=True):
        try:
            return Checkpoint(folder, _read(folder / _RECORD))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return None


def save(root: Path, record: Record, write: Callable[[Path], None]) -> Path:
    """Saves a checkpoint and removes the older ones.

    `write` fills a draft folder that gets its name only when it is complete, so a kill at any
    moment leaves the previous checkpoint or this one. What `write` raises passes through. No
    draft stays for longer than to the next save: on a full disk it would be in its own way.
    """
    root.mkdir(parents=True, exist_ok=True)
    final = root / f"{_PREFIX}{record.step:09d}"
    for left in root.glob(f".{_PREFIX}*.draft"):
        shutil.rmtree(left, ignore_errors=True)
    draft = root / f".{final.name}.draft"
    draft.mkdir()
    try:
        write(draft)
        (draft / _RECORD).write_text(json.dumps(_plain(record)))
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    shutil.rmtree(final, ignore_errors=True)
    draft.rename(final)
    for other in _complete(root):
        if other != final:
            shutil.rmtree(other, ignore_errors=True)
    return final


def clear(root: Path) -> None:
    """Removes every checkpoint: they are another attempt's, not to be gone on from."""
    for folder in _complete(root):
        shutil.rmtree(folder, ignore_errors=True)


def _complete(root: Path) -> list[Path]:
    if not root.is_dir():
        return []
    return [folder for folder in root.glob(f"{_PREFIX}*") if folder.name[5:].isdecimal()]


def _step(folder: Path) -> int:
    return int(folder.name.removeprefix(_PREFIX))


def _plain(record: Record) -> dict[str, Any]:
    return {
        "step": record.step,
        "metrics": {name: [seen.value, seen.step] for name, seen in record.metrics.items()},
        "curve": record.curve,
    }


def _read(path: Path) -> Record:
    data = json.loads(path.read_text())
    return Record(
        step=int(data["step"]),
        metrics={name: Reported(value, step) for name, (value, step) in data["metrics"].items()},
        curve=tuple((step, value) for step, value in data["curve"]),
    )
