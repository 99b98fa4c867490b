"""A Katib Experiment as written: its fields by path, each checked where it is read.

Katib's own resource has no schema, and its numbers are text: `min: "0.01"`. Text that is a number
is read as one, and a number where Katib wants text is taken as well.
"""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from kubetune.api.wording import show
from kubetune.convert.findings import Findings, Kind
from kubetune.domain.expression_faults import suggest
from kubetune.domain.faults import Path

_NUMBER = re.compile(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*", re.ASCII)


class Experiment:
    """Reads fields; what is of another kind than Katib takes is noted as a fault, and missing."""

    def __init__(self, data: Mapping[str, Any], findings: Findings) -> None:
        self._data = data
        self._findings = findings

    def at(self, path: Path) -> Any:
        """The value at a path as it is; None where there is none."""
        found: Any = self._data
        for part in path:
            if isinstance(found, Mapping):
                found = found.get(part)
            elif isinstance(found, list) and isinstance(part, int) and part < len(found):
                found = found[part]
            else:
                return None
        return found

    def mapping(self, path: Path, known: Iterable[str] = ()) -> Mapping[str, Any]:
        """A map; empty when it is missing. Of `known` fields, others are named as left out."""
        found = self.at(path)
        if found is None:
            return {}
        if not isinstance(found, Mapping):
            self._findings.refuse(path, f"{show(found)} is no map: write one, as Katib wants it")
            return {}
        names = list(known)
        for name in found if names else ():
            if name not in names:
                message = f"Katib's Experiment has no such field{suggest(str(name), names)}"
                self._findings.note(Kind.LEFT_OUT, (*path, name), message)
        return found

    def items(self, path: Path) -> list[Any]:
        """A list; empty when it is missing."""
        found = self.at(path)
        if found is None:
            return []
        if not isinstance(found, list):
            self._findings.refuse(path, f"{show(found)} is no list: write one, as Katib wants it")
            return []
        return found

    def text(self, path: Path, *, needed: str = "") -> str | None:
        """Text; numbers and truths as they are spelled. `needed` says what is to be written."""
        found = self.at(path)
        if found is None or found == "":
            if needed:
                self._findings.refuse(path, f"missing: write {needed}")
            return None
        if isinstance(found, Mapping | list):
            self._findings.refuse(path, f"{show(found)} is no text: write {needed or 'text'}")
            return None
        return show(found) if isinstance(found, bool) else str(found)

    def number(self, path: Path, *, needed: bool = False) -> float | None:
        """A finite number, written as one or as text."""
        return self._number(path, "a number", needed=needed)

    def whole(self, path: Path, *, least: int | None = None, needed: bool = False) -> int | None:
        """A whole number, written as one or as text, such as "32" or "32.0"."""
        what = "a whole number" if least is None else f"a whole number of at least {least}"
        number = self._number(path, what, needed=needed)
        if number is None:
            return None
        if not number.is_integer() or (least is not None and number < least):
            self._findings.refuse(path, f"{show(self.at(path))}: write {what}")
            return None
        return int(number)

    def _number(self, path: Path, what: str, *, needed: bool) -> float | None:
        text = self.text(path, needed=what if needed else "")
        if text is None:
            return None
        if not _NUMBER.fullmatch(text) or not math.isfinite(float(text)):
            self._findings.refuse(path, f"{show(self.at(path))}: write {what}")
            return None
        return float(text)
