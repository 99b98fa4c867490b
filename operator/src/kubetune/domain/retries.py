"""What a trial tries again with, after it ran out of memory."""

import math
from dataclasses import dataclass

from kubetune.domain.coordinates import Coordinates
from kubetune.domain.expressions import Undefined
from kubetune.domain.space import refitted
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Trial
from kubetune.domain.values import Assignment, Value


@dataclass(frozen=True, slots=True)
class NoRetry:
    """There is no next attempt, and why."""

    why: str


def adjust(spec: StudySpec, trial: Trial) -> Assignment | NoRetry:
    """The values of the next attempt: adjusted by the rules, derived values computed anew.

    Every rule sees the values of the attempt that failed, so their order does not matter. An
    adjusted value keeps its kind: a whole number is cut towards zero and must not fall below 1.
    Refused as well: values that are the same as before, and ones that a hard constraint forbids,
    by the same rule as in a draw.
    """
    policy = spec.trials
    if not policy.on_out_of_memory or policy.out_of_memory_retries == 0:
        return NoRetry("no retry is asked for")
    if trial.out_of_memory >= policy.out_of_memory_retries:
        return NoRetry(f"all {policy.out_of_memory_retries} retries are used")
    changes: dict[str, Value] = {}
    for rule in policy.on_out_of_memory:
        former = changes.get(rule.name, trial.parameters.get(rule.name))
        try:
            value = _keep_kind(rule.value.evaluate(trial.parameters), former)
        except Undefined:
            return NoRetry(f"{rule.name} = {rule.value.text} has no value here")
        if isinstance(value, NoRetry):
            return NoRetry(f"{rule.name} {value.why}")
        changes[rule.name] = value
    values = refitted(spec.phase(trial.phase).space, trial.parameters, changes)
    if values == dict(trial.parameters):
        return NoRetry("the rules change nothing")
    for name in Coordinates(spec.phase(trial.phase).space).broken(values):
        return NoRetry(f"the adjusted values break constraint {name}")
    return values


def _keep_kind(value: Value, former: Value | None) -> Value | NoRetry:
    """The value in the kind of the former one."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(former, bool | str) or former is None or not number:
        same = former is None or type(value) is type(former)
        return value if same else NoRetry(f"would be {value!r}, of another kind than {former!r}")
    assert isinstance(value, int | float)
    if not math.isfinite(value):
        return NoRetry(f"would be {value}")
    if isinstance(former, float):
        return float(value)
    return int(value) if value >= 1 else NoRetry(f"would be {value:.6g}, below 1")
