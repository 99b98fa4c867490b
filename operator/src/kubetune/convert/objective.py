"""The objective: its direction, its goal, and which point of a curve counts."""

from collections.abc import Mapping
from typing import Any

from kubetune.api.wording import show
from kubetune.convert.draft import Draft
from kubetune.convert.experiment import Experiment
from kubetune.convert.findings import Kind
from kubetune.convert.names import identifier
from kubetune.domain.faults import Path

_PATH: Path = ("spec", "objective")
_AT: Path = ("spec", "objectives")
_KNOWN = ("type", "goal", "objectiveMetricName", "additionalMetricNames", "metricStrategies")
_DIRECTIONS = {"minimize": "Minimize", "maximize": "Maximize"}
_BEST = {"minimize": "min", "maximize": "max"}
_STRATEGIES = ("min", "max", "latest")

Metrics = Mapping[str, str]
"""Katib's names of metrics, the objective's first, and the names that a trial reports."""


def convert(experiment: Experiment, draft: Draft) -> Metrics:
    """Writes the objective; the metrics by their names in Katib and here."""
    refuse = draft.findings.refuse
    if not experiment.mapping(_PATH, _KNOWN):
        refuse(_PATH, "missing: write type and objectiveMetricName")
        return {}
    direction = experiment.text((*_PATH, "type"), needed="minimize or maximize")
    if direction is not None and direction not in _DIRECTIONS:
        refuse((*_PATH, "type"), f"{show(direction)}: write minimize or maximize")
    name = experiment.text((*_PATH, "objectiveMetricName"), needed="the metric to optimise")
    goal = experiment.number((*_PATH, "goal"))
    if name is None or direction not in _DIRECTIONS:
        return {}
    metrics = _metrics(experiment, draft, name)
    objective: dict[str, Any] = {"metric": metrics[name], "direction": _DIRECTIONS[direction]}
    if goal is not None:
        objective |= {"target": goal}
    if _summary(experiment, draft, name, direction) == "Last":
        objective |= {"summary": "Last"}
    draft.put("objectives", [objective], _PATH)
    for ours, theirs in (("metric", "objectiveMetricName"), ("target", "goal")):
        draft.come_from((*_AT, 0, ours), (*_PATH, theirs))
    return metrics


def _metrics(experiment: Experiment, draft: Draft, objective: str) -> dict[str, str]:
    where: dict[str, Path] = {objective: (*_PATH, "objectiveMetricName")}
    for index, _ in enumerate(experiment.items((*_PATH, "additionalMetricNames"))):
        path = (*_PATH, "additionalMetricNames", index)
        name = experiment.text(path, needed="a metric's name")
        if name == objective:
            draft.findings.refuse(path, f"{show(name)} is the objective already: take it out")
        elif name is not None:
            where.setdefault(name, path)
    metrics: dict[str, str] = {}
    for name, path in where.items():
        metrics[name] = identifier(name, set(metrics.values()))
        if metrics[name] != name:
            message = f"{show(name)}: names have letters, digits and '_': report {metrics[name]}"
            draft.note(Kind.TO_DO, path, message, at=_AT)
    return metrics


def _summary(experiment: Experiment, draft: Draft, objective: str, direction: str) -> str:
    """Best or Last: how the trial's curve becomes its value."""
    summary = "Best"
    for index, _ in enumerate(experiment.items((*_PATH, "metricStrategies"))):
        path = (*_PATH, "metricStrategies", index)
        name = experiment.text((*path, "name"), needed="a metric's name")
        value = experiment.text((*path, "value"), needed="min, max or latest")
        if value is None:
            continue
        if value not in _STRATEGIES:
            draft.findings.refuse((*path, "value"), f"{show(value)}: write min, max or latest")
        elif name == objective and value == "latest":
            summary = "Last"
        elif name == objective and value != _BEST[direction]:
            message = (
                f"{show(value)} contradicts {direction}: a trial's value is its best point here; "
                "write summary: Last for its last one"
            )
            draft.note(Kind.LEFT_OUT, (*path, "value"), message, at=_AT)
        elif name != objective and value != "latest":
            message = f"{show(value)} of {name}: every report is stored, tables show the last one"
            draft.note(Kind.NOT_NEEDED, (*path, "value"), message)
    return summary
