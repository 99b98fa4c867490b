"""Ranges: min, max and step as text, and the distributions that Katib draws them from.

Katib's normal distributions have their middle in the middle of the range and a sixth of its width
as deviation, on the logarithm's scale for logNormal, and are not cut at min and max.
"""

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kubetune.api.checks.parameters import STEP_LIMIT
from kubetune.api.wording import show
from kubetune.convert.draft import Draft
from kubetune.convert.experiment import Experiment
from kubetune.convert.findings import Kind, either
from kubetune.domain.faults import Path
from kubetune.domain.values import Value

_DISTRIBUTIONS = ("uniform", "logUniform", "normal", "logNormal", "unknown")
_LOGARITHMIC = frozenset({"logUniform", "logNormal"})


@dataclass(frozen=True, slots=True)
class _Range:
    """A range as Katib has it; `path` is its feasibleSpace, `at` the parameter in the study."""

    draft: Draft
    path: Path
    at: Path
    low: float
    high: float
    step: float | None
    distribution: str
    whole: bool

    def plain(self, number: float) -> Value:
        """A bound as it is written."""
        return int(number) if self.whole else number

    def note(self, kind: Kind, field: str, message: str) -> None:
        self.draft.note(kind, (*self.path, field), message, self.at)


def convert(
    experiment: Experiment, draft: Draft, path: Path, at: Path, *, whole: bool, grid: bool
) -> dict[str, Any] | Value | None:
    """A parameter without its name, or its only value; None after a fault."""
    read = experiment.whole if whole else experiment.number
    low, high = (read((*path, field), needed=True) for field in ("min", "max"))
    step = read((*path, "step"))
    distribution = experiment.text((*path, "distribution")) or "uniform"
    if distribution not in _DISTRIBUTIONS:
        message = f"{show(distribution)}: write {either(_DISTRIBUTIONS[:4])}"
        draft.findings.refuse((*path, "distribution"), message)
        return None
    if low is None or high is None or not _sound(draft, path, low, high, step):
        return None
    found = _Range(draft, path, at, low, high, step, distribution, whole)
    if low == high:
        return found.plain(low)
    if distribution in _LOGARITHMIC and low <= 0:
        message = f"{low:g} has no logarithm: write min above 0, or distribution: uniform"
        draft.findings.refuse((*path, "min"), message)
        return None
    return _parameter(found, grid=grid)


def _sound(draft: Draft, path: Path, low: float, high: float, step: float | None) -> bool:
    if low > high:
        message = f"{low:.15g} is above max {high:.15g}: swap them"
        draft.findings.refuse((*path, "min"), message)
        return False
    if step is not None and step <= 0:
        message = f"{step:.15g} leads nowhere: write a step above 0, or none"
        draft.findings.refuse((*path, "step"), message)
        return False
    return True


def _parameter(found: _Range, *, grid: bool) -> dict[str, Any]:
    kind = "Integer" if found.whole else "Double"
    wire: dict[str, Any] = {"type": kind, "min": found.plain(found.low)}
    log = _scale(found, grid=grid)
    high, step = _steps(found)
    if step is not None and log and not found.whole:
        message = f"{step:.15g}: a logarithmic scale has no step: any value may be drawn"
        found.note(Kind.APPROXIMATED, "step", message)
        high, step = found.high, None
    wire["max"] = found.plain(high)
    if step is not None:
        wire["step"] = found.plain(step)
    return {**wire, "scale": "Log"} if log else wire


def _scale(found: _Range, *, grid: bool) -> bool:
    """Whether the scale is logarithmic; says what becomes of the distribution."""
    name, stepped = found.distribution, found.step not in {None, 1.0 if found.whole else None}
    if name in {"uniform", "unknown"}:
        return False
    if stepped and (grid or found.whole):
        message = f"{name}: with its step each value counts alike"
        found.note(Kind.APPROXIMATED, "distribution", message)
        return False
    if name == "normal":
        middle, deviation = (found.low + found.high) / 2, (found.high - found.low) / 6
        message = (
            f"normal: Katib draws around {middle:.4g} with deviation {deviation:.4g}, here all "
            "of the range is drawn alike; a narrower min and max comes closer"
        )
        found.note(Kind.APPROXIMATED, "distribution", message)
        return False
    if name == "logNormal":
        middle = math.exp((math.log(found.low) + math.log(found.high)) / 2)
        message = (
            f"logNormal: Katib draws around {middle:.4g}, here all of the logarithmic range is "
            "drawn alike; a narrower min and max comes closer"
        )
        found.note(Kind.APPROXIMATED, "distribution", message)
    return True


def _steps(found: _Range) -> tuple[float, float | None]:
    """The highest value that steps reach, and the step if there is one."""
    if found.step is None or (found.whole and found.step == 1):
        return found.high, None
    low, high, step = (Decimal(repr(one)) for one in (found.low, found.high, found.step))
    count = math.floor((high - low) / step)
    if count == 0 or count >= STEP_LIMIT:
        why = "larger than max - min" if count == 0 else f"more than {STEP_LIMIT} values"
        message = f"{found.step:.15g} is {why}: any value of the range may be drawn"
        found.note(Kind.APPROXIMATED, "step", message)
        return found.high, None
    last = float(low + count * step)
    if last != found.high:
        message = f"{found.step:.15g} never reaches max {found.high:.15g}: max is {last:.15g} here"
        found.note(Kind.APPROXIMATED, "step", message)
    return last, found.step
