"""Pareto front: every trial in the plane of two objectives, and those that no other one beats."""

from itertools import combinations
from typing import TYPE_CHECKING

from kubetune.domain.study import Direction
from kubetune.domain.trial import Trial, TrialState
from kubetune.report.findings import Findings
from kubetune.report.plots import scales, style
from kubetune.report.plots.picture import LeftOut

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAMED = 20
"""Up to so many trials of the front have their number beside them."""


def draw(findings: Findings) -> "Figure | LeftOut":
    """A panel for each pair of objectives."""
    objectives = findings.spec.objectives
    if not findings.several:
        return LeftOut("there is one objective")
    if not findings.front:
        return LeftOut("no trial is Complete")
    pairs = list(combinations(range(len(objectives)), 2))
    drawn = style.figure(width=max(style.WIDTH, 5.6 * len(pairs)), height=5.6)
    panels = drawn.subplots(1, len(pairs), squeeze=False)[0]
    for panel, pair in zip(panels, pairs, strict=True):
        _panel(panel, findings, pair)
    style.legend_below(drawn, *panels)
    return drawn


def _panel(panel: "Axes", findings: Findings, pair: tuple[int, int]) -> None:
    one, other = (findings.spec.objectives[index] for index in pair)
    front = {trial.number for trial in findings.front}
    known = [trial for trial in findings.trials if trial.outcome and trial.outcome.values]
    kept = [_values(trial, pair) for trial in known if trial.number in front]
    windows = [
        scales.window([_values(trial, pair)[at] for trial in known], [one[at] for one in kept])
        for at in (0, 1)
    ]
    for state in (TrialState.COMPLETE, TrialState.INFEASIBLE):
        these = [trial for trial in known if trial.state is state and trial.number not in front]
        _dots(panel, [_values(trial, pair) for trial in these], windows, state)
    _front(panel, findings, pair, line=len(findings.spec.objectives) == 2)  # noqa: PLR2004 - a plane
    baseline = findings.baseline
    if baseline in known and baseline is not None:
        x, y = _values(baseline, pair)
        panel.plot(
            [windows[0].clip(x)],
            [windows[1].clip(y)],
            ls="",
            marker="*",
            ms=14,
            color=style.BASELINE,
            mec="white",
            label="baseline",
            zorder=6,
        )
    windows[0].show(panel, along="x")
    windows[1].show(panel)
    for objective, setter in ((one, panel.set_xlabel), (other, panel.set_ylabel)):
        way = "less" if objective.direction is Direction.MINIMIZE else "more"
        setter(f"{style.wrapped(objective.metric, 34, 2)} ({way} is better)")
    hidden = sum(
        any(w.hides(v) for w, v in zip(windows, _values(t, pair), strict=True)) for t in known
    )
    note = scales.off_scale(hidden)
    panel.set_title(
        f"{len(front)} of {len(known)} trials are on the front" + (f" ({note})" if note else "")
    )


def _dots(
    panel: "Axes",
    values: list[tuple[float, float]],
    windows: list[scales.Window],
    state: TrialState,
) -> None:
    if values:
        panel.scatter(
            [windows[0].clip(x) for x, _ in values],
            [windows[1].clip(y) for _, y in values],
            s=26,
            alpha=0.55,
            color=style.COLOURS[state],
            marker=style.MARKERS[state],
            label=f"{state.value}: {len(values)}",
        )


def _front(panel: "Axes", findings: Findings, pair: tuple[int, int], *, line: bool) -> None:
    """Stepped, as what it beats is: of three objectives only dots, for no plane shows it."""
    points = sorted((*_values(trial, pair), trial.number) for trial in findings.front)
    xs, ys = [x for x, _, _ in points], [y for _, y, _ in points]
    less = findings.spec.objectives[pair[0]].direction is Direction.MINIMIZE
    if line:
        panel.plot(
            xs, ys, color=style.BEST, lw=1.2, drawstyle="steps-post" if less else "steps-pre"
        )
    panel.plot(
        xs,
        ys,
        ls="",
        marker="o",
        ms=7,
        color=style.BEST,
        mec="white",
        label=f"Pareto front: {len(points)}",
        zorder=5,
    )
    wide, high = (max(axis) - min(axis) for axis in (xs, ys))
    named: list[tuple[float, float]] = []
    for x, y, number in points if len(points) <= NAMED else ():
        if any(abs(x - a) <= 0.03 * wide and abs(y - b) <= 0.05 * high for a, b in named):
            continue  # its number would lie on another's
        named.append((x, y))
        panel.annotate(str(number), (x, y), xytext=(5, 5), textcoords="offset points", fontsize=8)


def _values(trial: Trial, pair: tuple[int, int]) -> tuple[float, float]:
    assert trial.outcome
    return trial.outcome.values[pair[0]], trial.outcome.values[pair[1]]
