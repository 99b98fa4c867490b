"""What all dashboards share: head, links to each other, variables."""

from collections.abc import Iterable
from typing import TypeAlias

from grafana_foundation_sdk.builders import dashboard as build
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    Panel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

TAG = "kubetune"
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")

Drawn: TypeAlias = Builder[Panel]
"""A panel of any kind."""


def framed(name: str, description: str, *, hours: int) -> build.Dashboard:
    """An empty dashboard over the last hours, with links to the others that keep what is chosen."""
    others = (
        build.DashboardLink("kubetune")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([TAG])
        .include_vars(True)
        .keep_time(True)
    )
    return (
        build.Dashboard(f"kubetune / {name}")
        .uid(f"{TAG}-{name}")
        .description(description)
        .tags([TAG])
        .readonly()
        .timezone("browser")
        .time(f"now-{hours}h", "now")
        .refresh("30s")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(others)
        .with_variable(
            build.DatasourceVariable("datasource").label("Data Source").type("prometheus")
        )
    )


def of_study(board: build.Dashboard) -> build.Dashboard:
    """With the choice of one namespace, and of one study in it."""
    spaces = "label_values(kubetune_study_phase, namespace)"
    studies = 'label_values(kubetune_study_phase{namespace="$namespace"}, study)'
    return board.with_variable(chosen("namespace", "Namespace", spaces)).with_variable(
        chosen("study", "Study", studies)
    )


def trials(own: str, *, several: bool = False) -> build.QueryVariable:
    """The choice of trials among those that have these labels."""
    query = f"label_values(kubetune_trial_progress_ratio{{{own}}}, kubetune_io_trial)"
    return chosen("trial", "Trial", query, several=several, sort=VariableSort.NUMERICAL_ASC)


def metrics(own: str, *, several: bool = False) -> build.QueryVariable:
    """The choice of metrics among those that trials with these labels have reported."""
    query = f"label_values(kubetune_trial_metric{{{own}}}, name)"
    return chosen("metric", "Metric", query, several=several)


def row(board: build.Dashboard, title: str, panels: Iterable[Drawn]) -> build.Dashboard:
    """The dashboard with these panels added, under a title unless it is empty."""
    if title:
        board = board.with_row(build.Row(title))
    for panel in panels:
        board = board.with_panel(panel)
    return board


def chosen(
    name: str,
    label: str,
    query: str,
    *,
    several: bool = False,
    sort: VariableSort = VariableSort.ALPHABETICAL_ASC,
) -> build.QueryVariable:
    """A variable whose values are looked up; of `several`, all are chosen at first."""
    found = (
        build.QueryVariable(name)
        .label(label)
        .query(query)
        .datasource(SOURCE)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(sort)
        .multi(several)
        .include_all(several)
    )
    if several:
        everything = VariableOption(text="All", value="$__all", selected=True)
        found = found.all_value(".*").current(everything)
    return found


def link(board: str, *fields: str) -> str:
    """The address of another dashboard, with what a table's row says of these variables."""
    chosen_there = [f"var-{name}=${{__data.fields.{name}}}" for name in fields]
    kept = ["var-datasource=${datasource}", "${__url_time_range}"]
    return f"/d/{TAG}-{board}?" + "&".join([*chosen_there, *kept])
