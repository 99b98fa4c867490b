"""Experiments for tests: the base with changes, as plain data or converted."""

from functools import cache
from pathlib import Path
from typing import Any

from kubetune.api import reader
from kubetune.convert.conversion import Conversion, convert

BASE = (Path(__file__).parent / "experiments" / "base.yaml").read_text()


@cache
def changed(*changes: tuple[str, str]) -> Conversion:
    """The base with texts replaced, each once, and converted."""
    text = BASE
    for before, after in changes:
        assert before in text, "the case changes nothing"
        text = text.replace(before, after, 1)
    return convert(reader.parse(text))


def spec(*changes: tuple[str, str]) -> dict[str, Any]:
    """The spec of the study that is made of it."""
    text = changed(*changes).text
    assert text is not None
    found: dict[str, Any] = reader.parse(text).data["spec"]
    return found


def said(*changes: tuple[str, str]) -> list[str]:
    """What is said of it beyond the base: kind, the last field of the path, message."""
    base = changed().notes
    notes = [note for note in changed(*changes).notes if note not in base]
    return [f"{note.kind}: {note.path[-1]}: {note.message}" for note in notes]
