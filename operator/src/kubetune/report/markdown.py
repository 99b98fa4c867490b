"""Pieces of Markdown in which foreign text is shown as it is and means nothing."""

import re
from collections.abc import Iterable, Sequence

from kubetune.domain import sentences
from kubetune.domain.result import clean

_TICKS = re.compile(r"`+")


def code(text: object) -> str:
    """Text as a code span, on one line without control characters; nothing in it is markup.

    A pipe is escaped, as tables ask for; so this is for cells as well as for sentences.
    """
    line = clean(str(text))
    if not line:
        return ""
    fence = "`" * (max((len(run) for run in _TICKS.findall(line)), default=0) + 1)
    padding = " " if len(fence) > 1 else ""
    return f"{fence}{padding}{line}{padding}{fence}".replace("|", "\\|")


def figure(value: object) -> str:
    """A parameter or metric for people: numbers as short as can be read, text as code."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return sentences.number(value)
    return str(value) if isinstance(value, int) else code(value)


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are Markdown already."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def count(number: int, noun: str) -> str:
    """`1 trial`, `2 trials`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def share(part: float, whole: float) -> str:
    """`31 %`; empty of nothing."""
    return f"{part / whole:.0%}".replace("%", " %") if whole else ""


def duration(seconds: float | None) -> str:
    """`4.2 s`, `75 s`, `3.5 min`, `2.1 h`; empty when unknown."""
    if seconds is None:
        return ""
    if seconds < 100:  # noqa: PLR2004 - seconds read well up to here
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"  # noqa: PLR2004 - digits
    minutes = seconds / 60
    return f"{minutes:.1f} min" if minutes < 100 else f"{minutes / 60:.1f} h"  # noqa: PLR2004 - digits
