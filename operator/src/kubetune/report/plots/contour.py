"""Contour: the objective over the two most important parameters together."""

from typing import TYPE_CHECKING, Any

import numpy as np

from kubetune.domain.study import Direction
from kubetune.domain.trial import TrialState
from kubetune.report.findings import Findings
from kubetune.report.forest import Floats
from kubetune.report.plots import choosing, scales, style
from kubetune.report.plots.picture import LeftOut

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

LEAST = 5
GRID = 60
REACH = 0.08
"""A trial speaks for this part of a range around it."""


def draw(findings: Findings) -> "Figure | LeftOut":
    """Values between trials are a mean of those near by; where no trial is near there are none."""
    parameters = choosing.searched(findings, 2)
    if len(findings.drawn) < 2 or len(parameters) < 2:  # noqa: PLR2004 - a plane has two
        return LeftOut("it takes two parameters")
    across, up = (scales.scale(parameter) for parameter in parameters)
    points = [
        (x, y, value)
        for trial, value in choosing.valued(findings)
        if (x := across.at(trial)) is not None and (y := up.at(trial)) is not None
    ]
    if len(points) < LEAST:
        return LeftOut(f"fewer than {LEAST} trials have a value and both parameters")
    window = scales.window([value for _, _, value in points])
    data = np.array([(x, y, window.clip(value)) for x, y, value in points])
    drawn = style.figure(height=6.0)
    panel = drawn.subplots()
    across.show(panel)
    up.show(panel, along="y")
    _surface(drawn, panel, findings, (across, up), data)
    _failed(panel, findings, across, up)
    best = findings.best
    x, y = (across.at(best), up.at(best)) if best else (None, None)
    if best and x is not None and y is not None:
        panel.plot(
            [x],
            [y],
            ls="",
            marker="*",
            ms=17,
            color="#ff4d4d",
            mec="white",
            zorder=6,
            label=f"best (trial {best.number})",
        )
    note = scales.off_scale(window.beyond)
    metric = style.shortened(findings.spec.objective.metric, 40)
    panel.set_title(f"{metric} of {len(points)} trials" + (f" ({note})" if note else ""))
    style.legend_below(drawn, panel)
    return drawn


def _surface(
    drawn: "Figure",
    panel: "Axes",
    findings: Findings,
    grid: tuple[scales.Scale, scales.Scale],
    data: Floats,
) -> None:
    across, up = grid
    columns, rows = _positions(across), _positions(up)
    surface = _smoothed(across, up, columns, rows, data)
    less = findings.spec.objective.direction is Direction.MINIMIZE
    gradient = style.GRADIENT if less else f"{style.GRADIENT}_r"
    low, high = float(data[:, 2].min()), float(data[:, 2].max())
    high = high if high > low else low + 1.0
    shading: dict[str, Any] = {"cmap": gradient, "vmin": low, "vmax": high}
    panel.grid(visible=False)
    if across.values is None and up.values is None:
        levels = np.linspace(low, high, 14)
        panel.contourf(columns, rows, surface, levels=levels, alpha=0.85, **shading)
    else:
        panel.pcolormesh(columns, rows, surface, shading="nearest", alpha=0.85, **shading)
    jitter = scales.spread(len(data), 0.22)
    x = data[:, 0] + (jitter if across.values else 0.0)
    y = data[:, 1] + (jitter[::-1] if up.values else 0.0)
    dots = panel.scatter(
        x, y, c=data[:, 2], s=34, edgecolors="white", linewidths=0.9, zorder=3, **shading
    )
    bar = drawn.colorbar(dots, ax=panel)
    bar.set_label(style.wrapped(findings.spec.objective.metric, 30, 2))


def _positions(one: scales.Scale) -> Floats:
    if one.values is not None:
        return np.arange(len(one.values), dtype=float)
    margin = scales.MARGIN * (one.high - one.low)
    return np.linspace(one.low - margin, one.high + margin, GRID)


def _smoothed(
    across: scales.Scale, up: scales.Scale, columns: Floats, rows: Floats, data: Floats
) -> Floats:
    """A weighted mean of values at each place of the grid; not a number where none is near."""
    horizontal = _nearness(across, columns, data[:, 0])
    vertical = _nearness(up, rows, data[:, 1])
    weights = np.einsum("rn,cn->rc", vertical, horizontal)
    sums = np.einsum("rn,cn,n->rc", vertical, horizontal, data[:, 2])
    surface: Floats = np.where(weights > 0.05, sums / np.maximum(weights, 1e-12), np.nan)  # noqa: PLR2004 - some trial is near
    return surface


def _nearness(one: scales.Scale, places: Floats, found: Floats) -> Floats:
    """How much each trial counts at each place of an axis: words have no neighbours."""
    gaps = np.abs(places[:, None] - found[None, :])
    if one.values is not None and not one.ordered:
        return (gaps < 0.5).astype(float)  # noqa: PLR2004 - the same value
    reach = REACH * ((one.high - one.low) or 1.0)
    nearness: Floats = np.exp(-0.5 * (gaps / reach) ** 2)
    return nearness


def _failed(panel: "Axes", findings: Findings, across: scales.Scale, up: scales.Scale) -> None:
    for state in (TrialState.PRUNED, TrialState.FAILED):
        places = [
            (x, y)
            for trial in findings.trials
            if trial.state is state
            and (x := across.at(trial)) is not None
            and (y := up.at(trial)) is not None
        ]
        if places:
            panel.plot(
                [x for x, _ in places],
                [y for _, y in places],
                ls="",
                marker=style.MARKERS[state],
                ms=4.5,
                alpha=0.55,
                color=style.COLOURS[state],
                label=f"{state.value}: {len(places)}",
            )
