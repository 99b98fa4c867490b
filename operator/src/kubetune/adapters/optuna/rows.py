"""What is written for each change of a trial, and how all of it is read back.

Optuna's columns get what its tools show: parameters, values, intermediate values, constraints,
states and times. Nothing is read back from them: the attributes of `records` hold the whole trial.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from kubetune.adapters.optuna import records, tables
from kubetune.adapters.optuna.distributions import stored_parameters
from kubetune.adapters.optuna.records import Record
from kubetune.domain.study import Direction, StudySpec
from kubetune.domain.trial import Point, Trial, TrialState

STUDY = "kubetune:study"
"""The study's attribute with its objectives and space; what marks a study as ours."""

_STATES = {
    TrialState.RUNNING: "RUNNING",
    TrialState.COMPLETE: "COMPLETE",
    TrialState.INFEASIBLE: "COMPLETE",
    TrialState.PRUNED: "PRUNED",
    TrialState.FAILED: "FAIL",
}
_STEP_LIMIT = 2**31


@dataclass(frozen=True, slots=True)
class StudyRow:
    """A study in the database: its key and its description."""

    row: int
    description: Mapping[str, Any]


def find_study(connection: Connection, name: str) -> StudyRow | None:
    """The study of a name, None when there is none.

    Raises:
        ValueError: the name belongs to a study that something else wrote.
    """
    row = connection.execute(
        select(tables.studies.c.study_id).where(tables.studies.c.study_name == name)
    ).scalar()
    if row is None:
        return None
    attributes = tables.study_attributes.c
    text = connection.execute(
        select(attributes.value_json).where(attributes.study_id == row, attributes.key == STUDY)
    ).scalar()
    if text is None:
        raise ValueError(f"storage has a study {name!r} of another program: use another name")
    return StudyRow(row, json.loads(text))


def study_names(connection: Connection) -> tuple[str, ...]:
    """The names of all studies written here, in order."""
    query = (
        select(tables.studies.c.study_name)
        .join(tables.study_attributes)
        .where(tables.study_attributes.c.key == STUDY)
        .order_by(tables.studies.c.study_name)
    )
    return tuple(connection.execute(query).scalars())


def write_study(connection: Connection, name: str, spec: StudySpec, description: object) -> int:
    """Adds a study, or describes anew one that has no trial yet; its key."""
    row = connection.execute(
        select(tables.studies.c.study_id).where(tables.studies.c.study_name == name)
    ).scalar()
    if row is None:
        row = _insert(connection, tables.studies, study_name=name)
    for table in (tables.directions, tables.study_attributes):
        connection.execute(delete(table).where(table.c.study_id == row))
    for index, objective in enumerate(spec.objectives):
        way = "MINIMIZE" if objective.direction is Direction.MINIMIZE else "MAXIMIZE"
        _insert(connection, tables.directions, study_id=row, objective=index, direction=way)
    text = json.dumps(description)
    _insert(connection, tables.study_attributes, study_id=row, key=STUDY, value_json=text)
    return int(row)


def describe_study(connection: Connection, study: int, description: object) -> None:
    """Describes a study anew that has trials: nothing that these rest on may have changed."""
    ours = tables.study_attributes
    connection.execute(
        update(ours)
        .where(ours.c.study_id == study, ours.c.key == STUDY)
        .values(value_json=json.dumps(description))
    )


def read_records(connection: Connection, study: int) -> tuple[Record, ...]:
    """Every trial of a study, in order of number, in two queries."""
    trials = tables.trials.c
    found = connection.execute(
        select(trials.trial_id, trials.number)
        .where(trials.study_id == study)
        .order_by(trials.number)
    ).all()
    attributes: dict[int, dict[str, str]] = {row: {} for row, _ in found}
    ours = tables.attributes.c
    query = (
        select(ours.trial_id, ours.key, ours.value_json)
        .join(tables.trials)
        .where(trials.study_id == study)
    )
    for row, key, text in connection.execute(query):
        attributes.setdefault(row, {})[key] = text
    return tuple(records.read_record(number, row, attributes[row]) for row, number in found)


def insert_trial(connection: Connection, study: int, spec: StudySpec, record: Record) -> int:
    """Adds a trial, with its end if it has one; its key."""
    trial = record.trial
    row = _insert(
        connection,
        tables.trials,
        study_id=study,
        number=trial.number,
        state=_STATES[TrialState.RUNNING],
        datetime_start=_time(trial.created_at),
    )
    shown = [
        {
            "trial_id": row,
            "param_name": item.name,
            "param_value": item.value,
            "distribution_json": item.distribution,
        }
        for item in stored_parameters(spec.phase(trial.phase).space, trial.active, record.drawn)
    ]
    if shown:
        connection.execute(insert(tables.params), shown)
    _add_attributes(connection, row, {records.DRAWN: records.drawn_attribute(record)})
    if trial.state.ended:
        write_end(connection, row, spec, trial)
    return row


def write_points(
    connection: Connection, record: Record, fresh: Sequence[Point], metric: str
) -> None:
    """Adds the newest points of `record.arrived` to what is stored."""
    for index, text, new in records.curve_attributes(record.arrived, len(fresh)):
        key = f"{records.CURVE}{index}"
        if new:
            _add_attributes(connection, record.row, {key: text})
        else:
            _replace_attribute(connection, record.row, key, text)
    shown = {
        int(point.step): float(point.metrics[metric])
        for point in fresh
        if metric in point.metrics and abs(point.step) < _STEP_LIMIT
    }
    if not shown:
        return
    table = tables.intermediate_values
    known = {int(point.step) for point in record.arrived[: -len(fresh)]} & shown.keys()
    if known:
        connection.execute(
            delete(table).where(table.c.trial_id == record.row, table.c.step.in_(known))
        )
    connection.execute(
        insert(table), [_intermediate(record.row, step, value) for step, value in shown.items()]
    )


def write_run(connection: Connection, record: Record, *, first: bool) -> None:
    """Stores attempts and first start; `first` when no such attribute is there yet."""
    row, trial = record.row, record.trial
    text = records.run_attribute(record)
    if first:
        _add_attributes(connection, row, {records.RUN: text})
    else:
        _replace_attribute(connection, row, records.RUN, text)
    if trial.started_at is not None:
        _update_trial(connection, row, datetime_start=_time(trial.started_at))


def write_end(connection: Connection, row: int, spec: StudySpec, trial: Trial) -> None:
    """Stores the end of a trial: values and constraints for Optuna's tools, then the state."""
    outcome = trial.outcome
    assert outcome is not None
    values = [
        {"trial_id": row, "objective": index, "value": value, "value_type": "FINITE"}
        for index, value in enumerate(outcome.values or _last_value(spec, trial))
    ]
    if values:
        connection.execute(insert(tables.values), values)
    broken = [
        {"trial_id": row, "key": f"constraints:{name}", "value_json": json.dumps(amount)}
        for name, amount in zip(constraint_names(spec), outcome.constraints, strict=False)
    ]
    if broken:
        connection.execute(insert(tables.system_attributes), broken)
    _add_attributes(connection, row, {records.END: records.end_attribute(trial)})
    times: dict[str, Any] = {}
    if trial.ended_at is not None:
        times["datetime_complete"] = _time(trial.ended_at)
    if trial.started_at is not None:
        times["datetime_start"] = _time(trial.started_at)
    _update_trial(connection, row, state=_STATES[trial.state], **times)


def constraint_names(spec: StudySpec) -> tuple[str, ...]:
    """A name for each outcome constraint: its metric, with its place when that repeats."""
    metrics = [item.metric for item in spec.outcome_constraints]
    return tuple(
        metric if metrics.count(metric) == 1 else f"{metric}:{index}"
        for index, metric in enumerate(metrics)
    )


def _last_value(spec: StudySpec, trial: Trial) -> tuple[float, ...]:
    """A pruned trial's value, as Optuna records it: the last finite one of its curve."""
    if trial.state is not TrialState.PRUNED or len(spec.objectives) > 1:
        return ()
    metric = spec.objective.metric
    reported = [point.metrics[metric] for point in trial.curve if metric in point.metrics]
    return (reported[-1],) if reported and math.isfinite(reported[-1]) else ()


def _intermediate(row: int, step: int, value: float) -> dict[str, Any]:
    kind = "FINITE"
    if math.isnan(value):
        kind = "NAN"
    elif math.isinf(value):
        kind = "INF_POS" if value > 0 else "INF_NEG"
    stored = value if kind == "FINITE" else None
    return {
        "trial_id": row,
        "step": step,
        "intermediate_value": stored,
        "intermediate_value_type": kind,
    }


def _insert(connection: Connection, table: Table, **columns: object) -> int:
    key = connection.execute(insert(table).values(**columns)).inserted_primary_key
    assert key is not None
    return int(key[0])


def _add_attributes(connection: Connection, row: int, texts: Mapping[str, str]) -> None:
    connection.execute(
        insert(tables.attributes),
        [{"trial_id": row, "key": key, "value_json": text} for key, text in texts.items()],
    )


def _replace_attribute(connection: Connection, row: int, key: str, text: str) -> None:
    ours = tables.attributes
    connection.execute(
        update(ours).where(ours.c.trial_id == row, ours.c.key == key).values(value_json=text)
    )


def _update_trial(connection: Connection, row: int, **columns: object) -> None:
    connection.execute(
        update(tables.trials).where(tables.trials.c.trial_id == row).values(**columns)
    )


def _time(seconds: float) -> datetime:
    """Naive UTC, as Optuna stores it."""
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)
