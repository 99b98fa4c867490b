"""What is wrong with a study as written: where, and what to write instead."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

Path: TypeAlias = tuple[str | int, ...]
"""Where in a manifest: `("spec", "parameters", 2, "min")`."""


def spell(path: Path) -> str:
    """Spells a path as people write it: `spec.parameters[2].min`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: the field, what is wrong with its value, what to write instead.

    `column` counts from 1 inside the text of the field, for expressions.
    """

    path: Path
    message: str
    column: int | None = None

    def __str__(self) -> str:
        """Spells the fault on one line."""
        at = f" (column {self.column})" if self.column else ""
        return f"{spell(self.path)}{at}: {self.message}"


class InvalidSpec(Exception):  # noqa: N818 - named by what to do next, not by being an error
    """The study cannot be run as written; carries every fault that was found."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(map(str, self.faults)))


class SpecChanged(InvalidSpec):
    """The study is not the one that its stored trials belong to."""
