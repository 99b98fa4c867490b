"""The termination message of a trial, read as what it is: text from a stranger.

One JSON object of at most 4,096 bytes: `{"schema": 1, "state": "Complete", "reason": "",
"message": "", "trial": 7, "step": 12, "metrics": {"eval_loss": 0.57}, "curve": [[11, 0.6],
[12, 0.57]]}`. Only `schema` and `state` are required; fields of other names are left alone.
Numbers that JSON cannot write are the strings "NaN", "Infinity" and "-Infinity".
"""

import json
import math
import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kubetune.domain.curves import Curve
from kubetune.domain.values import Metrics

MESSAGE_LIMIT = 4096
"""The longest message, in bytes."""

CURVE_LIMIT = 64
"""The most points that a message's curve may have."""

TEXT_LIMIT = 300
"""The longest text of a trial that is shown, in characters."""

METRIC_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}", re.ASCII)

_WORDS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
_SCHEMA = 1
_PAIR = 2


class ResultState(StrEnum):
    """What a trial may say of its own end."""

    COMPLETE = "Complete"
    FAILED = "Failed"
    PRUNED = "Pruned"
    STOPPED = "Stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """A message that keeps the contract.

    `curve` is the first objective's, steps ascending; of a step given twice the later one counts.
    """

    state: ResultState
    reason: str = ""
    message: str = ""
    step: float | None = None
    metrics: Metrics = field(default_factory=dict)
    curve: Curve = ()


@dataclass(frozen=True, slots=True)
class Garbage:
    """A message that breaks the contract, and in which way, as a sentence."""

    sentence: str


class _Fault(Exception):  # noqa: N818 - never leaves this module
    pass


def parse(message: bytes, number: int) -> TrialResult | Garbage:
    """Reads the message of trial `number`; never raises, whatever the bytes are."""
    try:
        return _read(_decode(message), number)
    except _Fault as fault:
        return Garbage(clean(str(fault)))


def clean(text: str) -> str:
    """A stranger's text as one printable line of at most `TEXT_LIMIT` characters."""
    printable = "".join(char if char.isprintable() else " " for char in text[: 8 * TEXT_LIMIT])
    line = " ".join(printable.split())
    return line if len(line) <= TEXT_LIMIT else line[: TEXT_LIMIT - 1] + "…"


def _decode(message: bytes) -> dict[str, Any]:
    if len(message) > MESSAGE_LIMIT:
        raise _Fault(f"the result is longer than {MESSAGE_LIMIT} bytes")
    try:
        text = message.decode("utf-8")
    except UnicodeDecodeError:
        raise _Fault("the result is not UTF-8 text") from None
    try:
        data = json.loads(
            text, object_pairs_hook=_unique, parse_int=float, parse_constant=_refuse_constant
        )
    except ValueError:
        raise _Fault(f"the result is not JSON: {text[:80]!r}") from None
    except RecursionError:
        raise _Fault("the result is nested too deeply") from None
    if not isinstance(data, dict):
        raise _Fault("the result is no JSON object")
    return data


def _read(data: dict[str, Any], number: int) -> TrialResult:
    schema = _number(data.get("schema"), "schema")
    if schema != _SCHEMA:
        raise _Fault(f"schema must be {_SCHEMA}, not {schema:.6g}")
    owner = _number(data.get("trial", float(number)), "trial")
    if owner != number:
        raise _Fault(f"the result is of trial {owner:.6g}, not of trial {number}")
    state = _text(data, "state")
    if state not in set(ResultState):
        raise _Fault(f"state must be one of {', '.join(ResultState)}, not {state[:40]!r}")
    step = None if data.get("step") is None else _step(data["step"], "step")
    return TrialResult(
        state=ResultState(state),
        reason=clean(_text(data, "reason")),
        message=clean(_text(data, "message")),
        step=step,
        metrics=_metrics(data.get("metrics", {})),
        curve=_curve(data.get("curve", [])),
    )


def _metrics(data: Any) -> dict[str, float]:
    if not isinstance(data, dict):
        raise _Fault("metrics must be an object of names and numbers")
    for name in data:
        if not METRIC_NAME.fullmatch(name):
            raise _Fault(
                f"metrics has the name {name[:70]!r}: write letters, digits and _, at most 63"
            )
    return {name: _number(value, f"metrics.{name}") for name, value in data.items()}


def _curve(data: Any) -> Curve:
    if not isinstance(data, list):
        raise _Fault("curve must be a list of [step, value]")
    if len(data) > CURVE_LIMIT:
        raise _Fault(f"curve has {len(data)} points, at most {CURVE_LIMIT} are allowed")
    points: dict[float, float] = {}
    for index, pair in enumerate(data):
        if not isinstance(pair, list) or len(pair) != _PAIR:
            raise _Fault(f"curve[{index}] must be [step, value]")
        step = _step(pair[0], f"curve[{index}][0]")
        points[step] = _number(pair[1], f"curve[{index}][1]")
    return tuple(sorted(points.items()))


def _number(value: Any, name: str) -> float:
    """A number; JSON's own must be finite (1e999 is not), the three words stand for the rest."""
    if isinstance(value, str) and value in _WORDS:
        return _WORDS[value]
    if not isinstance(value, float):
        raise _Fault(f"{name} must be a number, not {str(value)[:40]!r}")
    if not math.isfinite(value):
        raise _Fault(f"{name} is out of range")
    return value


def _step(value: Any, name: str) -> float:
    step = _number(value, name)
    if not math.isfinite(step) or step < 0:
        raise _Fault(f"{name} must be a finite number from 0, not {step:.6g}")
    return step


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name, "")
    if not isinstance(value, str):
        raise _Fault(f"{name} must be a string, not {str(value)[:40]!r}")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise _Fault(f"the result has {twice[:70]!r} twice")
    return data


def _refuse_constant(word: str) -> float:
    raise _Fault(f'the result is not JSON: write "{word}" with quotes')
