"""What a conversion has to say: faults of the Experiment, notes on what becomes of its parts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kubetune.api.wording import show
from kubetune.domain.faults import Fault, Path


class Kind(StrEnum):
    """What became of a part of the Experiment."""

    LEFT_OUT = "left out"
    APPROXIMATED = "approximated"
    TO_DO = "to do"
    NOT_NEEDED = "not needed"


LONGEST = 80
"""Characters of a value that are shown."""

LOSSES = frozenset({Kind.LEFT_OUT, Kind.APPROXIMATED})
"""The study does something else than the Experiment did."""


@dataclass(frozen=True, slots=True)
class Note:
    """A part of the Experiment that did not pass over as it stood, and what to do instead."""

    kind: Kind
    path: Path
    message: str


def shown(value: Any) -> str:
    """A value as the user would recognise it, maps and lists too, cut short."""
    if not isinstance(value, dict | list):
        return show(value)
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


class Findings:
    """Collects faults and notes; with a fault there is no study."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._notes: list[Note] = []

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Every fault once, without what is missing only because the part above it is broken."""
        broken = {fault.path for fault in self._faults if not _missing(fault)}
        return tuple(
            fault
            for fault in dict.fromkeys(self._faults)
            if not _missing(fault) or broken.isdisjoint(_way(fault.path))
        )

    @property
    def notes(self) -> tuple[Note, ...]:
        """Every note once."""
        return tuple(dict.fromkeys(self._notes))

    def refuse(self, path: Path, message: str) -> None:
        """Notes a fault."""
        self._faults.append(Fault(path, message))

    def note(self, kind: Kind, path: Path, message: str) -> None:
        """Notes what became of a part."""
        self._notes.append(Note(kind, path, message))


def either(words: Sequence[str]) -> str:
    """`a, b or c`."""
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _missing(fault: Fault) -> bool:
    return fault.message.startswith("missing:")


def _way(path: Path) -> set[Path]:
    """The path and every part above it."""
    return {path[:end] for end in range(1, len(path) + 1)}
