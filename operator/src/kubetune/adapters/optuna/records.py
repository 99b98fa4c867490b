"""A trial as JSON attributes, few and packed because each is a row; and back.

kubetune:drawn     once, at creation: parameters, coordinates, what was turned down
kubetune:run       replaced: attempts, first start, parameters once they were adjusted
kubetune:curve:K   the points from 64 K on, in the order in which they came
kubetune:end       once: state, reason, values, metrics
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubetune.domain import transitions
from kubetune.domain.coordinates import Point as Coordinate
from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import Outcome, Point, Stage, Trial, TrialState
from kubetune.domain.values import Assignment

DRAWN = "kubetune:drawn"
RUN = "kubetune:run"
CURVE = "kubetune:curve:"
END = "kubetune:end"
CHUNK = 64
"""Points in one curve attribute: a write is bounded, whatever the curve's length."""

NO_ROW = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A trial and what only sampler and database need to know of it.

    `row` is its key in the database. `point` are its coordinates, `drawn` its parameters before
    any adjustment. `proposals` counts what its draw consumed. `memory` is what the sampler wants
    to find again: under `trial` about this trial, under `study` about all so far. `arrived` holds
    the curve's points in the order in which they came; the first `skipped` of them were reported
    with other parameters. `outside`: it lies outside the space of the phase that looks at it.
    """

    trial: Trial
    row: int = NO_ROW
    point: Coordinate = field(default_factory=dict)
    drawn: Assignment = field(default_factory=dict)
    proposals: int = 0
    memory: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    arrived: tuple[Point, ...] = ()
    skipped: int = 0
    outside: bool = False


def drawn_attribute(record: Record) -> str:
    """What is known at creation and never changes."""
    trial = record.trial
    return _dumps(
        {
            "parameters": dict(record.drawn),
            "active": sorted(trial.active),
            "seed": trial.seed,
            "stage": trial.stage.value,
            "phase": trial.phase,
            "repeats": trial.repeats,
            "initial": trial.initial,
            "baseline": trial.baseline,
            "rejected": dict(trial.rejected),
            "created_at": trial.created_at,
            "point": dict(record.point),
            "proposals": record.proposals,
            "memory": record.memory,
        }
    )


def run_attribute(record: Record) -> str:
    """What changes with attempts."""
    trial = record.trial
    return _dumps(
        {
            "parameters": dict(trial.parameters),
            "attempt": trial.attempt,
            "disruptions": trial.disruptions,
            "out_of_memory": trial.out_of_memory,
            "started_at": trial.started_at,
            "skipped": record.skipped,
        }
    )


def curve_attributes(arrived: tuple[Point, ...], count: int) -> Iterable[tuple[int, str, bool]]:
    """The chunks that the last `count` points are in: (index, text, whether it is new)."""
    before = len(arrived) - count
    for index in range(before // CHUNK, (len(arrived) - 1) // CHUNK + 1):
        points = arrived[index * CHUNK : (index + 1) * CHUNK]
        text = _dumps([[point.step, dict(point.metrics)] for point in points])
        yield index, text, index * CHUNK >= before


def end_attribute(trial: Trial) -> str:
    """The end."""
    outcome = trial.outcome
    assert outcome is not None
    return _dumps(
        {
            "state": outcome.state.value,
            "reason": outcome.reason.value,
            "message": outcome.message,
            "values": list(outcome.values),
            "constraints": list(outcome.constraints),
            "metrics": dict(outcome.metrics),
            "started_at": trial.started_at,
            "ended_at": trial.ended_at,
        }
    )


def read_record(number: int, row: int, attributes: Mapping[str, str]) -> Record:
    """The record of a trial's attributes.

    Raises:
        KeyError: the trial has no `kubetune:drawn`: something else wrote it.
    """
    drawn = json.loads(attributes[DRAWN])
    run = json.loads(attributes.get(RUN, "{}"))
    end = json.loads(attributes.get(END, "{}"))
    arrived, skipped = _read_points(attributes), run.get("skipped", 0)
    trial = Trial(
        number=number,
        state=TrialState(end.get("state", TrialState.RUNNING)),
        parameters=run.get("parameters", drawn["parameters"]),
        active=frozenset(drawn["active"]),
        attempt=run.get("attempt", 1),
        disruptions=run.get("disruptions", 0),
        out_of_memory=run.get("out_of_memory", 0),
        seed=drawn["seed"],
        stage=Stage(drawn["stage"]),
        phase=drawn.get("phase", ""),
        repeats=drawn.get("repeats"),
        initial=drawn["initial"],
        baseline=drawn["baseline"],
        rejected=drawn["rejected"],
        curve=transitions.joined(arrived[skipped:]),
        outcome=_read_outcome(end) if end else None,
        created_at=drawn["created_at"],
        started_at=end.get("started_at", run.get("started_at")),
        ended_at=end.get("ended_at"),
    )
    return Record(
        trial=trial,
        row=row,
        point=drawn["point"],
        drawn=drawn["parameters"],
        proposals=drawn["proposals"],
        memory=drawn["memory"],
        arrived=arrived,
        skipped=skipped,
    )


def _read_points(attributes: Mapping[str, str]) -> tuple[Point, ...]:
    chunks = {
        int(key.removeprefix(CURVE)): text
        for key, text in attributes.items()
        if key.startswith(CURVE)
    }
    return tuple(
        Point(step, metrics)
        for _, text in sorted(chunks.items())
        for step, metrics in json.loads(text)
    )


def _read_outcome(end: Mapping[str, Any]) -> Outcome:
    return Outcome(
        state=TrialState(end["state"]),
        reason=TrialReason(end["reason"]),
        message=end["message"],
        values=tuple(end["values"]),
        constraints=tuple(end["constraints"]),
        metrics=end["metrics"],
    )


def _dumps(data: object) -> str:
    """JSON as Python reads it: NaN and infinities of metrics survive."""
    return json.dumps(data, separators=(",", ":"))
