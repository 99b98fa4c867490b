"""The kinds of panels that are used, each with its title, what it says, and its unit."""

from grafana_foundation_sdk.builders import (
    bargauge,
    common,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.builders.dashboard import FieldColor
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    ScaleDistribution,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import FieldColorModeId

from dashboards.frame import SOURCE
from dashboards.queries import Query, lettered

WIDE, HALF, THIRD, QUARTER = 24, 12, 8, 6
_HEIGHT = 8


def lines(title: str, text: str, unit: str, *queries: Query, span: int = HALF) -> timeseries.Panel:
    """Lines over time, with the last value of each beside its name."""
    legend = (
        common.VizLegendOptions()
        .display_mode(LegendDisplayMode.TABLE)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs(["lastNotNull"])
    )
    tooltip = common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)
    return (
        timeseries.Panel()
        .title(title)
        .description(text)
        .unit(unit)
        .datasource(SOURCE)
        .targets(lettered(queries))
        .height(_HEIGHT)
        .span(span)
        .line_width(1)
        .show_points(VisibilityMode.AUTO)
        .legend(legend)
        .tooltip(tooltip)
    )


def stacked(
    title: str, text: str, unit: str, *queries: Query, span: int = HALF
) -> timeseries.Panel:
    """Areas that add up."""
    normal = common.StackingConfig().mode(StackingMode.NORMAL).group("A")
    return lines(title, text, unit, *queries, span=span).stacking(normal).fill_opacity(40)


def bars(title: str, text: str, unit: str, *queries: Query, span: int = HALF) -> timeseries.Panel:
    """Bars over time that add up: how often something happened."""
    drawn = stacked(title, text, unit, *queries, span=span)
    return drawn.draw_style(GraphDrawStyle.BARS).fill_opacity(80)


def logarithmic(panel: timeseries.Panel) -> timeseries.Panel:
    """The same lines on a scale of powers of ten."""
    scale = common.ScaleDistributionConfig().type(ScaleDistribution.LOG).log(10)
    return panel.scale_distribution(scale)


def figure(title: str, text: str, unit: str, *queries: Query, span: int = 4) -> stat.Panel:
    """One number, or one for each series with its name."""
    return (
        stat.Panel()
        .title(title)
        .description(text)
        .unit(unit)
        .datasource(SOURCE)
        .targets(lettered(queries))
        .height(4)
        .span(span)
        .graph_mode(BigValueGraphMode.NONE)
        .color_scheme(FieldColor().mode(FieldColorModeId.FIXED).fixed_color("blue"))
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .text_mode(BigValueTextMode.AUTO)
        .no_value("-")
    )


def word(title: str, text: str, query: Query, *, span: int = 4) -> stat.Panel:
    """The name of a series instead of its number."""
    return figure(title, text, "short", query, span=span).text_mode(BigValueTextMode.NAME)


def shares(title: str, text: str, unit: str, *queries: Query, span: int = HALF) -> bargauge.Panel:
    """A bar for each series."""
    return (
        bargauge.Panel()
        .title(title)
        .description(text)
        .unit(unit)
        .datasource(SOURCE)
        .targets(lettered(queries))
        .height(_HEIGHT)
        .span(span)
        .min(0)
        .display_mode(BarGaugeDisplayMode.BASIC)
        .orientation(VizOrientation.HORIZONTAL)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
        .color_scheme(FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
        .no_value("none")
    )


def listed(title: str, text: str, *queries: Query, span: int = WIDE) -> table.Panel:
    """A table; what becomes of its columns is its transformations'."""
    return (
        table.Panel()
        .title(title)
        .description(text)
        .unit("short")
        .datasource(SOURCE)
        .targets(lettered(queries))
        .height(_HEIGHT)
        .span(span)
        .filterable(True)
    )


def timeline(title: str, text: str, unit: str, query: Query) -> statetimeline.Panel:
    """A row for each series, coloured by its value while there is one."""
    return (
        statetimeline.Panel()
        .title(title)
        .description(text)
        .unit(unit)
        .datasource(SOURCE)
        .targets(lettered((query,)))
        .height(10)
        .span(WIDE)
        .show_value(VisibilityMode.NEVER)
        .per_page(20)
        .line_width(0)
        .fill_opacity(80)
        .legend(common.VizLegendOptions().show_legend(False))
    )
