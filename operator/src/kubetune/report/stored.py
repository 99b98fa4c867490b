"""Trials out of a results.json: what was written is read back as it was."""

import gzip
import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import Direction
from kubetune.domain.trial import Outcome, Point, Stage, Trial, TrialState
from kubetune.report.results import SCHEMA

LIMIT_BYTES = 64 * 2**20
"""More than this is not unpacked: it is none of ours."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A study as the file tells of it: objectives (metric, direction) in order, and trials."""

    name: str
    objectives: tuple[tuple[str, Direction], ...]
    trials: tuple[Trial, ...]


def unpack(packed: bytes) -> Stored:
    """Reads a compressed file.

    Raises:
        ValueError: it is none, or of a newer kubetune; in words.
    """
    try:
        with gzip.open(io.BytesIO(packed)) as file:
            text = file.read(LIMIT_BYTES + 1)
    except (OSError, EOFError) as error:
        raise ValueError(f"not compressed: {error}") from error
    if len(text) > LIMIT_BYTES:
        raise ValueError(f"longer than {LIMIT_BYTES} bytes")
    try:
        return _stored(json.loads(text))
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ValueError(f"not what kubetune writes: {error!r}") from error


def _stored(found: Any) -> Stored:
    if found["schema"] != SCHEMA:
        raise ValueError(f"its schema is {found['schema']!r}, this kubetune reads {SCHEMA}")
    objectives = tuple(
        (str(each["metric"]), Direction(each["direction"])) for each in found["objectives"]
    )
    metrics = [metric for metric, _ in objectives]
    return Stored(
        str(found["study"]), objectives, tuple(_trial(t, metrics) for t in found["trials"])
    )


def _trial(found: Mapping[str, Any], objectives: list[str]) -> Trial:
    state = TrialState(found["state"])
    return Trial(
        number=int(found["number"]),
        state=state,
        parameters=dict(found["parameters"]),
        active=frozenset(found["active"]),
        attempt=int(found["attempts"]),
        disruptions=int(found["disruptions"]),
        out_of_memory=int(found["outOfMemory"]),
        seed=int(found["seed"]),
        stage=Stage(found["stage"]),
        phase=str(found["phase"]),
        repeats=found["repeats"],
        initial=str(found["initial"]),
        baseline=bool(found["baseline"]),
        rejected=dict(found["rejected"]),
        curve=tuple(
            Point(_number(each["step"]), _metrics(each["metrics"])) for each in found["curve"]
        ),
        outcome=_outcome(found, state, objectives) if state.ended else None,
        created_at=_number(found["createdAt"]),
        started_at=_time(found["startedAt"]),
        ended_at=_time(found["endedAt"]),
    )


def _outcome(found: Mapping[str, Any], state: TrialState, objectives: list[str]) -> Outcome:
    values = _metrics(found["values"])
    return Outcome(
        state=state,
        reason=TrialReason(found["reason"]),
        message=str(found["message"]),
        values=tuple(values[metric] for metric in objectives if metric in values),
        constraints=tuple(map(_number, found["constraints"])),
        metrics=_metrics(found["metrics"]),
    )


def _metrics(found: Mapping[str, Any]) -> dict[str, float]:
    return {str(name): _number(value) for name, value in found.items()}


def _number(found: Any) -> float:
    """A number; NaN and the infinities are words in the file."""
    return float(found) if isinstance(found, str) else found + 0


def _time(found: Any) -> float | None:
    return None if found is None else _number(found)
