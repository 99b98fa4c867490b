"""History: every trial's value in order, the best so far, the baseline."""

import math
from typing import TYPE_CHECKING

from kubetune.domain import curves
from kubetune.domain.study import Objective
from kubetune.domain.trial import Trial, TrialState
from kubetune.report.findings import Findings
from kubetune.report.plots import scales, style
from kubetune.report.plots.picture import LeftOut

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def draw(findings: Findings) -> "Figure | LeftOut":
    """One panel for each objective."""
    if not any(trial.outcome and trial.outcome.values for trial in findings.trials):
        return LeftOut("no trial has a value")
    objectives = findings.spec.objectives
    drawn = style.figure(height=1.4 + 3.4 * len(objectives))
    panels = drawn.subplots(len(objectives), sharex=True, squeeze=False)[:, 0]
    for index, (panel, objective) in enumerate(zip(panels, objectives, strict=True)):
        _panel(findings, panel, objective, index)
    panels[-1].set_xlabel("trial")
    style.legend_below(drawn, *panels, columns=7)
    return drawn


def _panel(findings: Findings, panel: "Axes", objective: Objective, index: int) -> None:
    shown = _values(findings, objective, index)
    baseline = findings.baseline
    known = baseline.outcome.values if baseline and baseline.outcome else ()
    ended = [value for _, state, value in shown if state is TrialState.COMPLETE]
    window = scales.window([value for _, _, value in shown], [*known[index : index + 1]])
    for state in style.COLOURS:
        these = [(number, value) for number, found, value in shown if found is state]
        if these:
            label = "Pruned (its last value)" if state is TrialState.PRUNED else state.value
            panel.scatter(
                [number for number, _ in these],
                [window.clip(value) for _, value in these],
                color=style.COLOURS[state],
                marker=style.MARKERS[state],
                s=28 if state is TrialState.COMPLETE else 20,
                alpha=0.9 if state is TrialState.COMPLETE else 0.6,
                label=f"{label}: {len(these)}",
                zorder=3,
            )
    if ended:
        _best_so_far(panel, findings, objective, index, window)
    if known:
        panel.axhline(known[index], color=style.BASELINE, ls="--", lw=1.6, label="baseline")
    _failed(findings, panel)
    window.show(panel)
    panel.set_xlim(-0.5 - len(findings.trials) * 0.01, len(findings.trials) * 1.01 - 0.5)
    style.whole_numbers(panel)
    panel.set_ylabel(style.wrapped(objective.metric, 30, 2))
    way = "less" if objective.direction.value == "Minimize" else "more"
    note = scales.off_scale(window.beyond)
    panel.set_title(
        f"{style.shortened(objective.metric, 40)}: {way} is better" + (f" ({note})" if note else "")
    )


def _values(
    findings: Findings, objective: Objective, index: int
) -> list[tuple[int, TrialState, float]]:
    found = []
    for trial in findings.trials:
        if trial.outcome and trial.outcome.values:
            found.append((trial.number, trial.state, trial.outcome.values[index]))
        elif trial.state is TrialState.PRUNED and (value := _last(trial, objective)) is not None:
            found.append((trial.number, trial.state, value))
    return found


def _last(trial: Trial, objective: Objective) -> float | None:
    curve = curves.objective_curve(trial, objective.metric)
    finite = [value for _, value in curve if math.isfinite(value)]
    return finite[-1] if finite else None


def _best_so_far(
    panel: "Axes", findings: Findings, objective: Objective, index: int, window: scales.Window
) -> None:
    numbers: list[int] = []
    best: list[float] = []
    for trial in findings.trials:
        if trial.state is not TrialState.COMPLETE or not trial.outcome:
            continue
        value = trial.outcome.values[index]
        if not best or objective.direction.better(value, best[-1]):
            numbers.append(trial.number)
            best.append(value)
    numbers.append(max(findings.trials[-1].number, numbers[-1]))
    best.append(best[-1])
    shown = [window.clip(value) for value in best]
    panel.plot(
        numbers,
        shown,
        color=style.BEST,
        lw=1.6,
        drawstyle="steps-post",
        label="best so far",
        zorder=4,
    )


def _failed(findings: Findings, panel: "Axes") -> None:
    """Trials without any value, as marks on the lower edge."""
    failed = [
        trial.number
        for trial in findings.trials
        if trial.state is TrialState.FAILED and not (trial.outcome and trial.outcome.values)
    ]
    if failed:
        panel.plot(
            failed,
            [0.012] * len(failed),
            transform=panel.get_xaxis_transform(),
            ls="",
            marker="x",
            ms=6,
            color=style.COLOURS[TrialState.FAILED],
            label=f"Failed: {len(failed)}",
            zorder=5,
        )
