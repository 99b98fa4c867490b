"""What goes to the terminal: formats, exit codes, and text from strangers made harmless."""

import sys
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING, NoReturn, Self

if TYPE_CHECKING:
    from rich.console import Console

WHOLE = 1000
"""Columns of what is not a terminal: lines that are cut or folded there cannot be searched."""

_LONGEST = 400


class Exit(IntEnum):
    """Exit codes of every command."""

    means: str

    def __new__(cls, code: int, means: str = "") -> Self:
        """Declared as `NAME = number, "what it means"`."""
        found = int.__new__(cls, code)
        found._value_ = code
        found.means = means
        return found

    DONE = 0, "it did what it was to do"
    FAILED = 1, "the study failed, or a manifest is not valid"
    UNUSABLE = 2, "the command line, a manifest or a folder cannot be used"
    INTERRUPTED = 130, "Ctrl-C stopped it; the same command goes on"
    TERMINATED = 143, "SIGTERM stopped it; the same command goes on"


class Format(StrEnum):
    """For people or for programs."""

    TABLE = "table"
    JSON = "json"


def clean(text: object, longest: int = _LONGEST) -> str:
    """Text on one line without control characters, cut to a length: trial output is hostile."""
    shown = "".join(letter if letter.isprintable() else " " for letter in str(text))
    return shown if len(shown) <= longest else f"{shown[: longest - 1]}…"


def console() -> "Console":
    """Standard output for tables: as wide as the terminal, whole elsewhere; no markup is read."""
    from rich.console import Console  # noqa: PLC0415 - start-up time

    width = None if sys.stdout.isatty() else WHOLE
    return Console(markup=False, highlight=False, width=width)


def say(text: str) -> None:
    """A message for the person at the terminal: standard error, so that pipes stay clean."""
    sys.stderr.write(f"{clean(text, 4000)}\n")


def fail(text: str, code: Exit = Exit.UNUSABLE) -> NoReturn:
    """Says what is wrong and ends the program."""
    say(f"kubetune: {text}")
    raise SystemExit(int(code))


def count(number: int, noun: str) -> str:
    """`1 trial`, `2 trials`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """`42 s`, `3 min 05 s`, `2 h 07 min`."""
    whole = int(seconds)
    if whole < 60:  # noqa: PLR2004 - a minute
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:  # noqa: PLR2004 - an hour
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"


def figure(value: object) -> str:
    """A parameter or metric, as short as it can be read."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return clean(value, 60)
    return f"{value:.4g}" if isinstance(value, float) else str(value)
