"""Every plot of a study, drawn or left out with the reason."""

from collections.abc import Mapping
from dataclasses import replace
from importlib.util import find_spec

from kubetune.domain import course
from kubetune.report.findings import Findings
from kubetune.report.plots import (
    contour,
    history,
    importances,
    learning,
    pages,
    parallel,
    pareto,
    rejected,
    slices,
    style,
    timeline,
)
from kubetune.report.plots.picture import Album, Draw, LeftOut, Picture

PACKAGES = ("matplotlib", "plotly")

PLOTS: Mapping[str, tuple[str, Draw]] = {
    "history": ("History", history.draw),
    "curves": ("Learning curves", learning.draw),
    "importance": ("Importance of parameters", importances.draw),
    "parallel": ("Parallel coordinates", parallel.draw),
    "slices": ("Slices", slices.draw),
    "contour": ("Contour", contour.draw),
    "pareto": ("Pareto front", pareto.draw),
    "rejected": ("Draws turned down", rejected.draw),
    "timeline": ("Timeline", timeline.draw),
}
"""By the name of its files: title and function, in the order in which they are shown."""

WHOLE = frozenset({"timeline"})
"""What shows runs of the finals too: elsewhere the best would stand there several times."""


def missing() -> tuple[str, ...]:
    """The packages that plots need and that are not installed."""
    return tuple(name for name in PACKAGES if find_spec(name) is None)


def album(findings: Findings, optunas: pages.Pages | None = None) -> Album:
    """Draws every plot that makes sense of these findings."""
    if absent := missing():
        return Album(missing=absent)
    search = replace(findings, trials=tuple(course.search(findings.trials)))
    theirs = pages.collected(findings, optunas)
    return Album(
        tuple(_picture(findings if name in WHOLE else search, name, theirs) for name in PLOTS)
    )


def _picture(findings: Findings, name: str, theirs: Mapping[str, pages.Page]) -> Picture:
    from matplotlib import rc_context  # noqa: PLC0415 - only who draws pays for it

    title, draw = PLOTS[name]
    try:
        with rc_context(style.settings()):
            drawn = draw(findings)
            if isinstance(drawn, LeftOut):
                return Picture(name=name, title=title, why=drawn.why)
            png = style.png(drawn)
    except Exception as error:  # noqa: BLE001 - one plot that fails takes no report with it
        return Picture(
            name=name, title=title, why=f"it could not be drawn: {type(error).__name__}: {error}"
        )
    page = theirs[name]() if name in theirs else None
    return Picture(name=name, title=title, png=png, page=page)
