"""Plots as pages to point at and zoom into, by plotly; most of them are Optuna's own."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

from kubetune.domain import course
from kubetune.domain.space import Parameter
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Trial
from kubetune.report.findings import Findings
from kubetune.report.plots import choosing, importances, rejected, slots, style

LIBRARY = "plotly.min.js"
"""The file beside the pages that they all load: they work without a network."""

Page: TypeAlias = Callable[[], str | None]


class Pages(Protocol):
    """Optuna's figures of a study, by name of plot; each is made when it is called."""

    def __call__(
        self, spec: StudySpec, trials: Sequence[Trial], parameters: Sequence[Parameter]
    ) -> Mapping[str, Callable[[], Any]]:
        """The figures; `parameters` are the searched ones, the most important first."""


def library() -> str:
    """Plotly's own script."""
    from plotly.offline import get_plotlyjs  # noqa: PLC0415 - only who draws pays for it

    text: str = get_plotlyjs()
    return text


def collected(findings: Findings, optunas: Pages | None) -> dict[str, Page]:
    """Every page of a study, by name of plot."""
    figures: dict[str, Callable[[], Any]] = {}
    if optunas:
        figures |= optunas(findings.spec, _numbered(findings), choosing.searched(findings))
    figures |= {
        "importance": lambda: _importance(findings),
        "rejected": lambda: _rejected(findings),
        "timeline": lambda: _timeline(findings),
    }
    return {name: _page(findings, name, figure) for name, figure in figures.items()}


def _numbered(findings: Findings) -> tuple[Trial, ...]:
    """The search's trials; all, where more followed on finals: Optuna numbers what it is given."""
    search = tuple(course.search(findings.trials))
    told = all(trial.number == place for place, trial in enumerate(search))
    return search if told else findings.trials


def _zoomed(findings: Findings, name: str, drawn: Any) -> None:
    """Begins with the same part of the values as the picture; a double click shows all."""
    from kubetune.report.plots import scales  # noqa: PLC0415 - loads numpy

    if name not in {"history", "curves", "slices"}:
        return
    values = [value for _, value in choosing.valued(findings)]
    if name == "curves":
        metric = findings.spec.objective.metric
        curves = (point.metrics.get(metric) for trial in findings.trials for point in trial.curve)
        values = [value for value in curves if value is not None and not math.isnan(value)]
    window = scales.window(values)
    if window.beyond:
        margin = scales.MARGIN * (window.high - window.low)
        drawn.update_yaxes(range=[window.low - margin, window.high + margin])


def _page(findings: Findings, name: str, figure: Callable[[], Any]) -> Page:
    def render() -> str | None:
        try:
            drawn = figure()
        except Exception:  # noqa: BLE001 - the PNG is there all the same
            return None
        if drawn is None:
            return None
        _zoomed(findings, name, drawn)
        drawn.update_layout(
            template="plotly_white", title_text=f"{style.plain(findings.spec.name)}: {name}"
        )
        body: str = drawn.to_html(
            full_html=False,
            include_plotlyjs=False,
            div_id=name,
            default_height="92vh",
            config={"displaylogo": False, "responsive": True},
        )
        head = f'<meta charset="utf-8"><title>{name}</title><script src="{LIBRARY}"></script>'
        return f"<!DOCTYPE html>\n<html><head>{head}</head>\n<body>\n{body}\n</body></html>\n"

    return render


def _importance(findings: Findings) -> Any:
    from plotly import graph_objects as go  # noqa: PLC0415 - only who draws pays for it

    if importances.missing(findings):
        return None
    drawn = go.Figure()
    for one in findings.importances:
        bars = list(reversed(one.parameters))
        spread = {
            "type": "data",
            "symmetric": False,
            "array": [bar.high - bar.share for bar in bars],
            "arrayminus": [bar.share - bar.low for bar in bars],
        }
        names, shares = [bar.name for bar in bars], [bar.share for bar in bars]
        drawn.add_bar(x=shares, y=names, orientation="h", name=one.metric, error_x=spread)
        drawn.add_vline(x=one.chance, line_dash="dot", annotation_text="chance")
    drawn.update_layout(xaxis_title="share of the variance", barmode="group")
    return drawn


def _rejected(findings: Findings) -> Any:
    from plotly import graph_objects as go  # noqa: PLC0415 - only who draws pays for it

    bars = list(reversed(rejected.counted(findings)))
    kinds = [rejected.KINDS[kind][1] if kind is not None else "#0072b2" for _, _, kind in bars]
    numbers, names = [number for _, number, _ in bars], [name for name, _, _ in bars]
    drawn = go.Figure(go.Bar(x=numbers, y=names, orientation="h", marker_color=kinds, text=numbers))
    drawn.update_layout(xaxis_title="draws turned down")
    return drawn


def _timeline(findings: Findings) -> Any:
    from plotly import graph_objects as go  # noqa: PLC0415 - only who draws pays for it

    plan = slots.schedule(findings.trials)
    seconds, name = slots.unit(plan.length)
    drawn = go.Figure()
    for state, colour in style.COLOURS.items():
        these = [span for span in plan.spans if span.trial.state is state]
        if these:
            drawn.add_bar(
                x=[(span.end - span.start) / seconds for span in these],
                base=[span.start / seconds for span in these],
                y=[span.slot + 1 for span in these],
                orientation="h",
                marker_color=colour,
                name=state.value,
                hovertext=[f"trial {span.trial.number}" for span in these],
            )
    drawn.update_layout(
        barmode="overlay", xaxis_title=f"{name} since the first start", yaxis_title="slot"
    )
    return drawn
