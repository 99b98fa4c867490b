"""The best trials of a study: their values over time, and what was drawn for them."""

from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue

from dashboards.frame import Drawn, link
from dashboards.panels import (
    HALF,
    lines,
    listed,
)
from dashboards.queries import over_time, rows

_RANK, _VALUE = "(rank)", "(objective)"
_CORNER = "trial\\parameter"
_KEPT = "&var-namespace=${namespace}&var-study=${study}"


def panels(study: str) -> list[Drawn]:
    """The best so far against the baseline, and the five best."""
    return [
        lines(
            "Best so far",
            "The best value of the first objective, the baseline, and the trial that ended last.",
            "none",
            *(
                over_time(f"max(kubetune_study_{name}_value{{{study}}})", legend)
                for name, legend in (("best", "best"), ("baseline", "baseline"), ("last", "last"))
            ),
        ).override_by_name(
            "last",
            [
                DynamicConfigValue("custom.drawStyle", "points"),
                DynamicConfigValue("custom.pointSize", 4),
            ],
        ),
        _table(study),
    ]


def _table(study: str) -> Drawn:
    """Rows and columns are made of labels; a value becomes a label by counting it."""
    shown = listed(
        "The five best",
        "What was drawn for the five best trials of the search; a trial's number leads to its own "
        "dashboard. (objective) is the value that they are ranked by.",
        rows(_cells(study)),
        span=HALF,
    )
    matrix = {"rowField": "trial", "columnField": "parameter", "valueField": "value"}
    numbers = [{"targetField": name, "destinationType": "number"} for name in (_RANK, _VALUE)]
    places = {
        "indexByName": {_CORNER: 0, _RANK: 1, _VALUE: 2},
        "renameByName": {_CORNER: "trial"},
    }
    order = {"fields": {}, "sort": [{"field": _RANK}]}
    there = DashboardLink("this trial").url(link("trial", "trial") + _KEPT).build()
    return shown.transformations(
        [
            DataTransformerConfig(id_val="groupingToMatrix", options=matrix),
            DataTransformerConfig(id_val="convertFieldType", options={"conversions": numbers}),
            DataTransformerConfig(id_val="organize", options=places),
            DataTransformerConfig(id_val="sortBy", options=order),
        ]
    ).override_by_name("trial", [DynamicConfigValue("links", [there])])


def _cells(study: str) -> str:
    """A series for each cell: its row is a trial, its column a parameter, its text a value."""
    drawn = f"max by (rank, trial, parameter, value) (kubetune_study_top_parameter{{{study}}})"
    values = f"max by (rank, trial) (kubetune_study_top_value{{{study}}})"
    counted = f'count_values by (rank, trial) ("value", {values})'
    objective = f'label_replace({counted}, "parameter", "{_VALUE}", "", "")'
    ranked = f'label_replace({values}, "value", "$1", "rank", "(.+)")'
    rank = f'label_replace({ranked}, "parameter", "{_RANK}", "", "")'
    return f"{drawn} or {objective} or {rank}"
