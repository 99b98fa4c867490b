"""The best model of a trial, for others to load: always a whole one."""

import shutil
from collections.abc import Callable
from pathlib import Path


def keep(folder: Path, write: Callable[[Path], None]) -> None:
    """Has `write` fill a folder aside, which then takes the place of the one before.

    What `write` raises passes through, and the one before stays.
    """
    draft = folder.with_name(f".{folder.name}.draft")
    before = folder.with_name(f".{folder.name}.before")
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir(parents=True)
        write(draft)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    if folder.exists():
        shutil.rmtree(before, ignore_errors=True)
        folder.rename(before)
    draft.rename(folder)
    shutil.rmtree(before, ignore_errors=True)
