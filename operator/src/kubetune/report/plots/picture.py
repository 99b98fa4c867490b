"""What a plot's function answers, and what is kept of all plots."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from kubetune.report.findings import Findings

FOLDER = "plots"
"""Where the files lie, beside REPORT.md."""

NAMES = (
    "history",
    "curves",
    "importance",
    "parallel",
    "slices",
    "contour",
    "pareto",
    "rejected",
    "timeline",
)
"""What the files are called that a report may have drawn."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A plot that would show nothing, and why, as the end of a sentence."""

    why: str


Draw: TypeAlias = "Callable[[Findings], Figure | LeftOut]"
"""One plot of a study."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One plot: PNG and page, each None where it could not be made; `why` says why."""

    name: str
    title: str
    png: bytes | None = None
    page: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Album:
    """All plots; `missing` are the packages without which there are none."""

    pictures: tuple[Picture, ...] = ()
    missing: tuple[str, ...] = ()
