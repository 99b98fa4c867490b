"""The best trials of a study: their values over time, and what was drawn for them."""

from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue

from dashboards.frame import Drawn
from dashboards.panels import (
    HALF,
    lines,
    listed,
)
from dashboards.queries import over_time, rows


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
    drawn = f"max by (rank, trial, parameter, value) (kubetune_study_top_parameter{{{study}}})"
    values = f"max by (rank, trial) (kubetune_study_top_value{{{study}}})"
    objective = (
        f'label_replace(count_values by (rank, trial) ("value", {values}), '
        '"parameter", "(objective)", "", "")'
    )
    cells = f'label_join({drawn} or {objective}, "place", ". trial ", "rank", "trial")'
    shown = listed(
        "The five best",
        "What was drawn for the five best trials of the search, the best first. (objective) is the "
        "value that they are ranked by.",
        rows(cells),
        span=HALF,
    )
    matrix = {"rowField": "place", "columnField": "parameter", "valueField": "value"}
    order = {"fields": {}, "sort": [{"field": "place\\parameter"}]}
    numbers = {"conversions": [{"targetField": "(objective)", "destinationType": "number"}]}
    places = {
        "indexByName": {"place\\parameter": 0, "(objective)": 1},
        "renameByName": {"place\\parameter": "rank and trial"},
    }
    return shown.transformations(
        [
            DataTransformerConfig(id_val="groupingToMatrix", options=matrix),
            DataTransformerConfig(id_val="sortBy", options=order),
            DataTransformerConfig(id_val="convertFieldType", options=numbers),
            DataTransformerConfig(id_val="organize", options=places),
        ]
    )
