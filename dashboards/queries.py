"""What a panel asks Prometheus."""

from collections.abc import Iterable
from typing import TypeAlias

from grafana_foundation_sdk.builders import prometheus
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards.frame import SOURCE

Query: TypeAlias = prometheus.Dataquery

EACH = "{{name}}, attempt {{kubetune_io_attempt}}"
"""The legend of `reported`."""


def over_time(expression: str, legend: str = "") -> Query:
    """A query whose answer is a line."""
    return prometheus.Dataquery().expr(expression).legend_format(legend).range()


def now(expression: str, legend: str = "") -> Query:
    """A query whose answer is a number for each series, as of the end of what is shown."""
    return prometheus.Dataquery().expr(expression).legend_format(legend).instant()


def rows(expression: str) -> Query:
    """A query whose answer is a table: a column for each label."""
    return now(expression).format(PromQueryFormat.TABLE)


def reported(trial: str, names: str) -> str:
    """The metrics of a trial whose names this regular expression matches, a line each."""
    selected = f'kubetune_trial_metric{{{trial},name=~"{names}"}}'
    return f"max by (kubetune_io_attempt, name) ({selected})"


def lettered(queries: Iterable[Query]) -> list[Builder[Dataquery]]:
    """The queries of one panel, each with its letter and the chosen datasource."""
    return [
        query.ref_id(letter).datasource(SOURCE)
        for letter, query in zip("ABCDEFGHIJ", queries, strict=False)
    ]
