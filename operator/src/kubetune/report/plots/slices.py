"""Slices: the objective over each parameter alone."""

from typing import TYPE_CHECKING

from kubetune.domain.trial import Trial, TrialState
from kubetune.report.findings import Findings
from kubetune.report.plots import choosing, scales, style
from kubetune.report.plots.picture import LeftOut

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST = 24
ACROSS = 4
LEAST = 2


def draw(findings: Findings) -> "Figure | LeftOut":
    """A panel for each parameter, the most important first."""
    trials = choosing.valued(findings)
    parameters = choosing.searched(findings, MOST)
    if len(trials) < LEAST:
        return LeftOut("fewer than two trials have a value")
    if not parameters:
        return LeftOut("the ranges of its parameters are not at hand")
    best = findings.best.value if findings.best else None
    window = scales.window([value for _, value in trials], [] if best is None else [best])
    grid = [scales.scale(parameter) for parameter in parameters]
    across = min(ACROSS, len(grid))
    down = -(-len(grid) // across)
    drawn = style.figure(width=max(style.WIDTH, 3.4 * across), height=1.2 + 3.1 * down)
    panels = drawn.subplots(down, across, squeeze=False, sharey=True).ravel()
    for panel, one in zip(panels, grid, strict=False):
        _panel(panel, findings, one, trials, window)
    for panel in panels[len(grid) :]:
        panel.set_visible(False)
    drawn.supylabel(style.wrapped(findings.spec.objective.metric, 40, 1), fontsize=10)
    note = scales.off_scale(window.beyond)
    title = f"{len(trials)} trials with a value{choosing.cut(findings, len(grid))}"
    drawn.suptitle(title + (f" ({note})" if note else ""), fontsize=11, x=0.01, ha="left")
    style.legend_below(drawn, *panels)
    return drawn


def _panel(
    panel: "Axes",
    findings: Findings,
    one: scales.Scale,
    trials: list[tuple[Trial, float]],
    window: scales.Window,
) -> None:
    one.show(panel)
    window.show(panel)
    for state in (TrialState.COMPLETE, TrialState.INFEASIBLE):
        these = [entry for entry in trials if entry[0].state is state]
        if these:
            _dots(panel, one, these, window, state)
    if findings.baseline:
        _named(panel, one, findings.baseline, window, "baseline")
    if findings.best:
        _named(panel, one, findings.best, window, "best")
    _ended_badly(panel, findings, one)


def _dots(
    panel: "Axes",
    one: scales.Scale,
    these: list[tuple[Trial, float]],
    window: scales.Window,
    state: TrialState,
) -> None:
    width = 0.28 if one.values and len(one.values) <= scales.FEW else 0.0
    shown = [
        (place + offset, window.clip(value))
        for (trial, value), offset in zip(these, scales.spread(len(these), width), strict=True)
        if (place := one.at(trial)) is not None
    ]
    panel.scatter(
        [x for x, _ in shown],
        [y for _, y in shown],
        s=16,
        alpha=max(0.35, min(0.8, 60 / max(len(shown), 1))),
        color=style.COLOURS[state],
        marker=style.MARKERS[state],
        label=state.value,
        linewidths=0,
    )


def _named(
    panel: "Axes", one: scales.Scale, trial: Trial, window: scales.Window, label: str
) -> None:
    place, colour = one.at(trial), style.BEST if label == "best" else style.BASELINE
    if trial.value is None:
        return
    shown = ([place], [window.clip(trial.value)]) if place is not None else ([], [])
    panel.plot(*shown, ls="", marker="*", ms=12, color=colour, mec="white", mew=0.6, label=label)


def _ended_badly(panel: "Axes", findings: Findings, one: scales.Scale) -> None:
    """Trials without a value, as ticks along the edges: Pruned on top, Failed below."""
    for state, height, marker in ((TrialState.PRUNED, 0.985, "v"), (TrialState.FAILED, 0.015, "x")):
        places = [
            place
            for trial in findings.trials
            if trial.state is state and (place := one.at(trial)) is not None
        ]
        if not places:
            continue
        panel.plot(
            places,
            [height] * len(places),
            transform=panel.get_xaxis_transform(),
            ls="",
            marker=marker,
            ms=5,
            alpha=0.6,
            color=style.COLOURS[state],
            label=f"{state.value} (at the {'upper' if height > 0.5 else 'lower'} edge)",  # noqa: PLR2004 - the middle
        )
