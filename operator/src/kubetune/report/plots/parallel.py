"""Parallel coordinates: a line for each trial through its value and its parameters."""

from typing import TYPE_CHECKING

import numpy as np

from kubetune.domain.study import Direction
from kubetune.domain.trial import Trial
from kubetune.report.findings import Findings
from kubetune.report.plots import choosing, scales, style
from kubetune.report.plots.picture import LeftOut

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 12
"""So many parameters beside each other can still be read."""

INACTIVE = -0.1
"""Where a line goes by below a parameter that is not active."""

LEAST = 2


def draw(findings: Findings) -> "Figure | LeftOut":
    """Lines coloured by the first objective, dark is better; the best trial's on top."""
    trials = choosing.valued(findings)
    parameters = choosing.searched(findings, MOST)
    if len(findings.drawn) < LEAST:
        return LeftOut("there is one parameter")
    if len(trials) < LEAST:
        return LeftOut("fewer than two trials have a value")
    objective = findings.spec.objective
    best = (
        findings.best.value if findings.best and findings.best.value is not None else trials[0][1]
    )
    window = scales.window([value for _, value in trials], [best])
    grid = [scales.scale(parameter) for parameter in parameters]
    drawn = style.figure(width=max(style.WIDTH, 1.25 * (len(grid) + 1)), height=5.6)
    panel = drawn.subplots()
    _lines(panel, findings, trials, grid, window)
    idle = any(one.name not in trial.active for one in grid for trial, _ in trials)
    _axes(panel, grid, window, idle=idle)
    names = [objective.metric, *(one.name for one in grid)]
    turned = len(names) > 7  # noqa: PLR2004 - the names would meet
    labels = [style.wrapped(name, 18, 2) for name in style.told_apart(names, 20 if turned else 36)]
    panel.set_xticks(
        range(len(names)), labels, rotation=40 if turned else 0, ha="right" if turned else "center"
    )
    panel.tick_params(axis="x", labelsize=8, length=0)
    note = scales.off_scale(window.beyond)
    title = f"{len(trials)} trials with a value{choosing.cut(findings, len(grid))}"
    panel.set_title(title + (f" ({note})" if note else ""), pad=12)
    _colours(drawn, panel, findings, window)
    style.legend_below(drawn, panel)
    return drawn


def _lines(
    panel: "Axes",
    findings: Findings,
    trials: list[tuple[Trial, float]],
    grid: list[scales.Scale],
    window: scales.Window,
) -> None:
    from matplotlib import colormaps  # noqa: PLC0415 - only who draws pays for it
    from matplotlib.collections import LineCollection  # noqa: PLC0415 - as above

    sign = 1 if findings.spec.objective.direction is Direction.MINIMIZE else -1
    ordered = sorted(trials, key=lambda entry: -sign * entry[1])  # the best is drawn last
    offsets = scales.spread(len(ordered), 0.012)
    lines, shades = [], []
    for (trial, value), offset in zip(ordered, offsets, strict=True):
        lines.append(list(enumerate([_share(window, value), *_places(trial, grid, offset)])))
        share = _share(window, value)
        shades.append(share if sign > 0 else 1 - share)
    colours = colormaps[style.GRADIENT](np.array(shades) * 0.95)
    alpha = max(0.25, min(0.9, 60 / len(lines)))
    panel.add_collection(LineCollection(lines, colors=colours, alpha=alpha, linewidths=1.2))
    best = findings.best
    if best and best.value is not None:
        points = [_share(window, best.value), *_places(best, grid, 0.0)]
        panel.plot(points, color=style.BEST, lw=2.4, label=f"best (trial {best.number})", zorder=5)


def _places(trial: Trial, grid: list[scales.Scale], offset: float) -> list[float]:
    """Where the trial's line crosses each axis, from 0 to 1; below where it is not active."""
    found = []
    for one in grid:
        place = one.at(trial)
        if place is None:
            found.append(INACTIVE)
            continue
        share = (place - one.low) / (one.high - one.low) if one.high > one.low else 0.5
        found.append(min(max(share, 0.0), 1.0) + (offset if one.values else 0.0))
    return found


def _share(window: scales.Window, value: float) -> float:
    if not window.high > window.low:
        return 0.5
    return (window.clip(value) - window.low) / (window.high - window.low)


def _axes(panel: "Axes", grid: list[scales.Scale], window: scales.Window, *, idle: bool) -> None:
    """The axes as vertical lines, each with its own ticks beside it."""
    panel.grid(visible=False)
    panel.set_yticks([])
    panel.set_xlim(-0.35, len(grid) + 0.65)
    panel.set_ylim(INACTIVE - 0.05, 1.05)
    for side in panel.spines.values():
        side.set_visible(False)
    values = [window.low + (window.high - window.low) * share for share in (0, 0.25, 0.5, 0.75, 1)]
    ticks = [(0.25 * index, scales.short(value)) for index, value in enumerate(values)]
    _axis(panel, 0, ticks if window.high > window.low else [(0.5, scales.short(window.low))])
    if idle:
        panel.text(len(grid) + 0.1, INACTIVE, "not active", va="center", fontsize=7.5)
    for index, one in enumerate(grid, start=1):
        width = one.high - one.low
        shown = (
            one.ticks
            if len(one.ticks) <= scales.FEW
            else one.ticks[:: -(-len(one.ticks) // scales.FEW)]
        )
        places = [((at - one.low) / width if width else 0.5, text) for at, text in shown]
        _axis(panel, index, places)


def _axis(panel: "Axes", index: int, ticks: list[tuple[float, str]]) -> None:
    panel.axvline(index, color="#666666", lw=1, zorder=3, ymin=0.12)
    for place, text in ticks:
        panel.plot([index - 0.03, index], [place, place], color="#666666", lw=1, zorder=4)
        panel.annotate(
            style.shortened(text, 14),
            (index, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=7.5,
            zorder=6,
            bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8},
        )


def _colours(drawn: "Figure", panel: "Axes", findings: Findings, window: scales.Window) -> None:
    from matplotlib.cm import ScalarMappable  # noqa: PLC0415 - only who draws pays for it
    from matplotlib.colors import Normalize  # noqa: PLC0415 - as above

    less = findings.spec.objective.direction is Direction.MINIMIZE
    gradient = style.GRADIENT if less else f"{style.GRADIENT}_r"
    high = window.high if window.high > window.low else window.low + 1
    shades = ScalarMappable(Normalize(window.low, high), cmap=gradient)
    bar = drawn.colorbar(shades, ax=panel, shrink=0.7, pad=0.01)
    bar.set_label(style.wrapped(findings.spec.objective.metric, 30, 2))
