"""Learning curves: the first objective of every trial over its steps, coloured by its end."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from kubetune.domain import curves
from kubetune.domain.trial import Trial, TrialState
from kubetune.report.findings import Findings
from kubetune.report.plots import scales, style
from kubetune.report.plots.picture import LeftOut

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

POINTS = 200
"""A curve of more points looks the same with these."""


def draw(findings: Findings) -> "Figure | LeftOut":
    """Every curve of two points and more; the best trial's and the baseline's stand out."""
    metric = findings.spec.objective.metric
    found = [(trial, thin(curves.objective_curve(trial, metric))) for trial in findings.trials]
    found = [(trial, curve) for trial, curve in found if curve]
    if not any(len(curve) > 1 for _, curve in found):
        return LeftOut("no trial reported its objective more than once")
    drawn = style.figure()
    panel = drawn.subplots()
    window = _window(findings, found)
    for state in (TrialState.RUNNING, *reversed(style.COLOURS)):
        these = [curve for trial, curve in found if trial.state is state]
        if these and not (state is TrialState.RUNNING and panel.lines):
            _curves(panel, these, state, window)
    for trial, label, colour in _named(findings):
        curve = next((curve for one, curve in found if one is trial), ())
        if curve:
            panel.plot(*_shown(curve, window), color=colour, lw=2.2, label=label, zorder=6)
    window.show(panel)
    panel.set_xlabel("step")
    panel.set_ylabel(style.wrapped(metric, 30, 2))
    if all(float(step).is_integer() for _, curve in found for step, _ in curve):
        style.whole_numbers(panel)
    runaway = sum(any(map(window.hides, _numbers(curve))) for _, curve in found)
    note = f" ({scales.off_scale(runaway)})" if runaway else ""
    panel.set_title(f"Curves of {len(found)} trials{note}")
    style.legend_below(drawn, panel)
    return drawn


def thin(curve: curves.Curve, most: int = POINTS) -> curves.Curve:
    """At most so many points of a curve, its last among them."""
    if len(curve) <= most:
        return curve
    stride = -(-len(curve) // (most - 1))
    return (*curve[:-1:stride], curve[-1])


def _numbers(curve: curves.Curve) -> list[float]:
    return [value for _, value in curve if not math.isnan(value)]


def _window(findings: Findings, found: Sequence[tuple[Trial, curves.Curve]]) -> scales.Window:
    ends = [curve[-1][1] for trial, curve in found if trial.state is TrialState.COMPLETE]
    best = findings.best
    kept = [value for trial, curve in found if trial is best for _, value in curve]
    shown = [value for _, curve in found for value in _numbers(curve)]
    return scales.window(shown, kept or ends[:1])


def _named(findings: Findings) -> list[tuple[Trial, str, str]]:
    named = []
    if findings.best:
        named.append((findings.best, f"best (trial {findings.best.number})", style.BEST))
    if findings.baseline and findings.baseline is not findings.best:
        named.append((findings.baseline, "baseline", style.BASELINE))
    return named


def _curves(
    panel: "Axes", these: Sequence[curves.Curve], state: TrialState, window: scales.Window
) -> None:
    from matplotlib.collections import LineCollection  # noqa: PLC0415 - only who draws pays for it

    alpha = max(0.15, min(0.8, 12 / len(these)))
    lines = [list(zip(*_shown(curve, window), strict=True)) for curve in these]
    colour = style.COLOURS[state]
    panel.add_collection(LineCollection(lines, colors=colour, alpha=alpha, linewidths=1.1))
    ends = [line[-1] for line in lines if line]
    panel.plot(
        [x for x, _ in ends],
        [y for _, y in ends],
        ls="",
        marker=style.MARKERS[state],
        ms=4.5,
        color=colour,
        alpha=max(alpha, 0.5),
        label=f"{state.value}: {len(these)}",
        zorder=4,
    )


def _shown(curve: curves.Curve, window: scales.Window) -> tuple[list[float], list[float]]:
    """Steps and values inside the window; what is not a number stands at the worse edge."""
    steps = [step for step, _ in curve]
    last, values = window.high, []
    for _, value in curve:
        if not math.isnan(value):
            last = window.clip(value)
        values.append(last)
    return steps, values
