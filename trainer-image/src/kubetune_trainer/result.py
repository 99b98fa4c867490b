"""A trial's last word: one JSON object in the container's termination message."""

import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kubetune_trainer.contract import SCHEMA
from kubetune_trainer.curve import Point, thinned

MAX_BYTES = 4096
"""What a termination message holds."""

MAX_MESSAGE = 512
SHORT_MESSAGE = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How the trial ended, in its own words.

    `trial` is its number, by which the study sees that the result is not another trial's;
    None when the trial could not read it.
    `objectives` are the metrics that must survive when room is short.
    """

    trial: int | None
    state: str
    reason: str = ""
    message: str = ""
    step: float = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
    curve: tuple[Point, ...] = ()
    objectives: tuple[str, ...] = ()


def encode(result: Result) -> bytes:
    """The result as JSON of at most 4,096 bytes.

    What does not fit is left out in this order: the message beyond 128 characters, points of the
    curve (its extremes and its end stay longest), metrics that are no objective, latest reported
    first, and at last all of the curve. JSON has no infinities and no NaN: they are written as
    the texts "Infinity", "-Infinity" and "NaN".
    """
    data = b""
    for smaller in _shrinking(replace(result, message=_clean(result.message)[:MAX_MESSAGE])):
        data = _dump(smaller)
        if len(data) <= MAX_BYTES:
            break
    return data


def write(result: Result, path: Path) -> None:
    """Writes the result whole: by rename, or in place where the file is a mount of its own.

    Raises:
        OSError: the file can be written neither way.
    """
    place(encode(result), path)


def place(data: bytes, path: Path) -> None:
    """Writes an encoded result, as `write` does.

    Raises:
        OSError: the file can be written neither way.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(data)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        path.write_bytes(data)


def _shrinking(result: Result) -> Iterator[Result]:
    yield result
    result = replace(result, message=result.message[:SHORT_MESSAGE])
    yield result
    while (curve := thinned(result.curve)) != result.curve:
        result = replace(result, curve=curve)
        yield result
    extra = [name for name in result.metrics if name not in result.objectives]
    while extra:
        dropped = extra.pop()
        kept = {name: value for name, value in result.metrics.items() if name != dropped}
        result = replace(result, metrics=kept)
        yield result
    yield replace(result, curve=())
    yield replace(result, curve=(), metrics={})


def _dump(result: Result) -> bytes:
    data: dict[str, Any] = {
        "schema": SCHEMA,
        **({} if result.trial is None else {"trial": result.trial}),
        "state": result.state,
        "reason": result.reason,
        "message": result.message,
        "step": _number(result.step),
        "metrics": {name: _number(value) for name, value in result.metrics.items()},
        "curve": [[_number(step), _number(value)] for step, value in result.curve],
    }
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode()


def _number(value: float) -> float | int | str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return int(value) if isinstance(value, int) else float(value)


def _clean(message: str) -> str:
    """The message without what JSON in UTF-8 cannot carry."""
    return message.encode(errors="replace").decode()
