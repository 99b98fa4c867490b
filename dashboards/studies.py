"""The studies of a fleet: a table of them, and their trials over time."""

from typing import Any

from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.builders.table import Panel
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue

from dashboards.frame import Drawn, link
from dashboards.panels import (
    bars,
    lines,
    listed,
    shares,
    stacked,
)
from dashboards.queries import now, over_time, rows

_COLUMNS = {
    "namespace": "namespace",
    "study": "study",
    "phase": "phase",
    "Value #B": "active",
    "Value #C": "complete",
    "Value #D": "pruned",
    "Value #E": "failed",
    "metric": "metric",
    "Value #F": "best",
    "Value #G": "improvement",
    "Value #H": "budget used",
}


def panels(space: str) -> list[Drawn]:
    """Of the namespaces that are chosen."""
    return [_table(space), *_trials(space), *_launches(space), _rejected(space)]


def _table(space: str) -> Drawn:
    def trials(state: str) -> str:
        selected = f'kubetune_study_trials{{{space},state="{state}"}}'
        return f"max by (namespace, study) ({selected})"

    def number(name: str) -> str:
        return f"max by (namespace, study, metric) (kubetune_study_{name}{{{space}}})"

    shown = listed(
        "Studies",
        "One row a study; its name leads to its own dashboard. Budget used is the limit that is "
        "nearest: trials, GPU hours or time.",
        rows(f"max by (namespace, study, phase) (kubetune_study_phase{{{space}}})"),
        rows(trials("Active")),
        rows(trials("Complete")),
        rows(trials("Pruned")),
        rows(trials("Failed")),
        rows(number("best_value")),
        rows(number("improvement_ratio")),
        rows(f"max by (namespace, study) (kubetune_study_budget_used_ratio{{{space}}})"),
    )
    return with_links(arranged(shown, _COLUMNS), "improvement", "budget used")


def arranged(panel: Panel, columns: dict[str, str]) -> Panel:
    """One row for what all queries say of the same labels; these columns in this order."""
    options: dict[str, Any] = {
        "indexByName": {name: index for index, name in enumerate(columns)},
        "renameByName": columns,
        "excludeByName": {"Time": True, "Value #A": True},
    }
    merged = DataTransformerConfig(id_val="merge", options={})
    return panel.transformations(
        [merged, DataTransformerConfig(id_val="organize", options=options)]
    )


def with_links(panel: Panel, *ratios: str) -> Panel:
    """A study's name leads to its dashboard; these columns are shares."""
    there = DashboardLink("this study").url(link("study", "namespace", "study")).build()
    panel = panel.override_by_name("study", [DynamicConfigValue("links", [there])])
    for name in ratios:
        panel = panel.override_by_name(name, [DynamicConfigValue("unit", "percentunit")])
    return panel


def _trials(space: str) -> list[Drawn]:
    by_state = f"max by (namespace, study, state) (kubetune_study_trials{{{space}}})"
    failed = f'kubetune_study_ended_trials{{{space},state="Failed"}}'
    return [
        stacked(
            "Trials by state",
            "All trials of the studies that are there now.",
            "none",
            over_time(f"sum by (state) ({by_state})", "{{state}}"),
        ),
        stacked(
            "Failures by reason",
            "Failed trials of the studies that are there now, by what they failed of.",
            "none",
            over_time(
                f"sum by (reason) (max by (namespace, study, reason) ({failed}))", "{{reason}}"
            ),
        ),
    ]


def _launches(space: str) -> list[Drawn]:
    waited = "sum by (le) (rate(kubetune_queue_duration_seconds_bucket[$__rate_interval]))"
    waits = f"max by (namespace, study, reason) (kubetune_study_waits{{{space}}})"
    return [
        bars(
            "Launches",
            "Jobs that the API server accepted, in all namespaces of the operator.",
            "cpm",
            over_time("sum(rate(kubetune_launches_total[$__rate_interval])) * 60", "launches"),
        ),
        lines(
            "Queue time",
            "From a Job's creation to the start of its trial, in all namespaces of the operator. "
            "Gaps: no trial began.",
            "s",
            *(
                over_time(f"histogram_quantile({share}, {waited}) >= 0", legend)
                for share, legend in ((0.5, "half of them"), (0.95, "95 %"))
            ),
        ),
        stacked(
            "Trials that wait",
            "Trials that do not start, by what they wait for: a queue, or the reason that they "
            "fail with if it goes on.",
            "none",
            over_time(f"sum by (reason) ({waits})", "{{reason}}"),
        ),
    ]


def _rejected(space: str) -> Drawn:
    rejected = (
        f"max by (namespace, study, constraint) (kubetune_study_rejected_draws_total{{{space}}})"
    )
    return shares(
        "Rejected draws",
        "Draws that a constraint turned down, the ten that bite most; they never became trials.",
        "none",
        now(f"topk(10, {rejected})", "{{study}}: {{constraint}}"),
    )
