"""How every plot looks: sizes, colours by end of a trial, text that fits."""

import re
from collections.abc import Iterable, Sequence
from io import BytesIO
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from kubetune.domain.trial import TrialState

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS_PER_INCH = 110
WIDTH = 9.0
HEIGHT = 5.0
"""A plot in inches, unless it needs more."""

COLOURS = {
    TrialState.COMPLETE: "#0072b2",
    TrialState.PRUNED: "#e69f00",
    TrialState.FAILED: "#c1272d",
    TrialState.INFEASIBLE: "#8e5aa8",
    TrialState.RUNNING: "#9a9a9a",
}
"""Told apart with any eyes; markers differ as well."""

MARKERS = {
    TrialState.COMPLETE: "o",
    TrialState.PRUNED: "v",
    TrialState.FAILED: "x",
    TrialState.INFEASIBLE: "s",
    TrialState.RUNNING: "d",
}
BEST = "#111111"
BASELINE = "#009e73"
COLOURS_OF_BARS = {True: "#0072b2", False: "#b8c4cc"}
"""Of what is told from chance, and of what is not."""

GRID = "#dddddd"
GRADIENT = "viridis"
"""Dark is better, throughout."""

_SETTINGS = {
    "font.size": 10,
    "font.family": "DejaVu Sans",
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.edgecolor": "#666666",
    "axes.titlesize": 12,
    "axes.titlelocation": "left",
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "legend.fontsize": 9,
    "legend.framealpha": 0.9,
    "axes.formatter.use_mathtext": False,
    "axes.formatter.useoffset": False,
    "text.parse_math": False,
    "savefig.facecolor": "white",
    "svg.hashsalt": "kubetune",
}


def figure(width: float = WIDTH, height: float = HEIGHT) -> "Figure":
    """An empty figure of this size in inches."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - only who draws pays for it

    return Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")


def settings() -> dict[Any, Any]:
    """What `matplotlib.rc_context` is given while a plot is drawn and saved."""
    return dict(_SETTINGS)


def png(drawn: "Figure") -> bytes:
    """The figure as PNG, the same bytes for the same figure."""
    stream = BytesIO()
    drawn.savefig(stream, format="png", metadata={"Software": None})
    return stream.getvalue()


def legend_below(drawn: "Figure", *panels: "Axes", columns: int = 6) -> None:
    """What is in the panels, named once, under the plot, where it hides nothing."""
    named: dict[str, Artist] = {}
    for panel in panels:
        handles, labels = panel.get_legend_handles_labels()
        named |= {
            label: handle
            for label, handle in zip(labels, handles, strict=True)
            if label not in named
        }
    if named:
        across = min(columns, len(named))
        drawn.legend(named.values(), named.keys(), loc="outside lower center", ncols=across)


def whole_numbers(panel: "Axes") -> None:
    """Only whole numbers along the axis of trials, steps or draws."""
    from matplotlib.ticker import MaxNLocator  # noqa: PLC0415 - only who draws pays for it

    panel.xaxis.set_major_locator(MaxNLocator(integer=True))


def plain(text: str) -> str:
    """Text that fonts can show: other letters as a question mark, no control characters."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def shortened(text: object, longest: int) -> str:
    """Text cut in its middle, so that both ends tell it apart."""
    shown = plain(str(text))
    if len(shown) <= longest:
        return shown
    head = (longest - 1) // 2
    return f"{shown[:head]}…{shown[len(shown) - (longest - 1 - head) :]}"


def told_apart(names: Sequence[str], longest: int) -> list[str]:
    """Names cut to a length so that what differs is left: what all long ones share goes first."""
    long = [name for name in names if len(name) > longest]
    if len(long) < 2:  # noqa: PLR2004 - one is like no other
        return [shortened(name, longest) for name in names]
    head = len(_in_common(long))
    tail = len(_in_common([name[head:][::-1] for name in long]))
    keep = 4

    def cut(name: str) -> str:
        first = f"{name[:keep]}…" if head > keep else name[:head]
        last = f"…{name[len(name) - keep :]}" if tail > keep else name[len(name) - tail :]
        middle = shortened(name[head : len(name) - tail], max(longest - len(first) - len(last), 6))
        return f"{first}{middle}{last}"

    return [plain(cut(name) if len(name) > longest else name) for name in names]


def _in_common(names: Sequence[str]) -> str:
    """What all names begin with."""
    first, last = min(names), max(names)
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False))
    return "".join(letter for letter, _ in alike)


def wrapped(text: object, width: int = 20, lines: int = 3) -> str:
    """Text over a few lines, broken after `_`, `-`, `.` or blanks where there are any."""
    parts = re.findall(r"[^_\-. ]*[_\-. ]?", shortened(text, width * lines))
    shown: list[str] = [""]
    for part in _pieces(parts, width):
        if len(shown[-1]) + len(part) <= width or not shown[-1]:
            shown[-1] += part
        else:
            shown.append(part)
    if len(shown) > lines:
        return wrapped(shortened(text, width * lines - width), width, lines + 1)
    return "\n".join(line.rstrip() for line in shown)


def _pieces(parts: Iterable[str], width: int) -> Iterable[str]:
    for part in parts:
        yield from (part[at : at + width] for at in range(0, len(part), width))
