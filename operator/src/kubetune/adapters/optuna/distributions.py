"""Parameters as Optuna's tools know them: the real ranges and values, in Optuna's JSON."""

import json
from dataclasses import dataclass

from kubetune.domain.space import Choice, Double, Integer, Parameter, Space
from kubetune.domain.values import Assignment, Value


@dataclass(frozen=True, slots=True)
class StoredParameter:
    """One parameter of one trial: Optuna's internal number and the distribution as JSON."""

    name: str
    value: float
    distribution: str


def stored_parameters(
    space: Space, active: frozenset[str], drawn: Assignment
) -> tuple[StoredParameter, ...]:
    """The active parameters of a trial; one that its range does not contain is left out.

    An initial trial may lie outside; its value then stands in the attributes alone.
    """
    return tuple(
        StoredParameter(parameter.name, number, distribution_json(parameter))
        for parameter in space.parameters
        if parameter.name in active
        and (number := _internal(parameter, drawn[parameter.name])) is not None
    )


def distribution_json(parameter: Parameter) -> str:
    """The distribution in the form that Optuna reads.

    Optuna knows no step on a logarithmic scale and wants the last step to hit the upper end.
    """
    match parameter:
        case Choice():
            return _json("Categorical", choices=list(parameter.values))
        case Integer():
            step = 1 if parameter.log else parameter.step
            high = parameter.high - (parameter.high - parameter.low) % step
            return _json("Int", log=parameter.log, step=step, low=parameter.low, high=high)
        case Double():
            step_size = None if parameter.log else parameter.step
            values = parameter.values if step_size else None
            top = values[-1] if values else parameter.high
            return _json(
                "Float", step=step_size, low=float(parameter.low), high=top, log=parameter.log
            )


def _internal(parameter: Parameter, value: Value) -> float | None:
    if isinstance(parameter, Choice):
        return float(parameter.values.index(value)) if value in parameter.values else None
    inside = isinstance(value, int | float) and parameter.low <= value <= parameter.high
    return float(value) if inside else None


def _json(kind: str, **attributes: object) -> str:
    return json.dumps({"name": f"{kind}Distribution", "attributes": attributes})
