"""Importance: each parameter's share, its spread over trees, and what chance reaches."""

from typing import TYPE_CHECKING

from kubetune.report.findings import Findings
from kubetune.report.importance import LEAST, Importances
from kubetune.report.plots import style
from kubetune.report.plots.picture import LeftOut

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 20
"""So many bars are shown."""


def draw(findings: Findings) -> "Figure | LeftOut":
    """Bars, the longest on top; one panel for each objective of which enough is known."""
    if why := missing(findings):
        return LeftOut(why)
    rows = min(max(len(one.parameters) for one in findings.importances), MOST)
    number = len(findings.importances)
    drawn = style.figure(width=max(style.WIDTH, 6.0 * number), height=1.8 + 0.34 * rows)
    panels = drawn.subplots(1, number, squeeze=False)[0]
    for panel, one in zip(panels, findings.importances, strict=True):
        _panel(panel, one)
    style.legend_below(drawn, *panels)
    return drawn


def missing(findings: Findings) -> str:
    """Why there are no importances to draw; empty when there are."""
    if len(findings.drawn) < 2:  # noqa: PLR2004 - one has nothing to be compared with
        return "one parameter has nothing to be compared with"
    if not findings.importances:
        return f"it takes {LEAST} trials that differ in what came of them"
    return ""


def _panel(panel: "Axes", one: Importances) -> None:
    bars = list(reversed(one.parameters[:MOST]))
    telling = set(one.telling)
    shares = [bar.share for bar in bars]
    colours = [style.COLOURS_OF_BARS[bar in telling] for bar in bars]
    places = range(len(bars))
    panel.barh(places, shares, color=colours, height=0.7)
    panel.hlines(
        places, [bar.low for bar in bars], [bar.high for bar in bars], color="#333333", lw=1
    )
    panel.axvline(one.chance, color=style.BEST, ls=":", lw=1.6, label="as much as chance reaches")
    panel.barh([0], [0], color=style.COLOURS_OF_BARS[True], label="more than chance")
    panel.barh([0], [0], color=style.COLOURS_OF_BARS[False], label="not told from chance")
    panel.plot([], [], color="#333333", lw=1, label="8 of 10 trees")
    panel.set_yticks(places, [style.wrapped(bar.name, 32, 2) for bar in bars])
    panel.tick_params(axis="y", labelsize=9 if len(bars) < 12 else 8)  # noqa: PLR2004 - room
    panel.grid(visible=False, axis="y")
    panel.set_xlim(left=0)
    panel.set_ylim(-0.6, len(bars) - 0.4)
    panel.set_xlabel("share of the variance")
    more = len(one.parameters) - len(bars)
    cut = f", the first {len(bars)} of {len(one.parameters)}" if more > 0 else ""
    panel.set_title(f"{style.shortened(one.metric, 30)}, {one.trials} trials{cut}")
