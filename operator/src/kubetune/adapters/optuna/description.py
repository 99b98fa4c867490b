"""What a study says of itself in the database, and what of it may not change any more."""

import json
from collections.abc import Mapping
from typing import Any

from kubetune.domain.faults import Fault, Path, SpecChanged
from kubetune.domain.space import Choice, Double, Integer, Parameter
from kubetune.domain.study import StudySpec

_FIELDS = (
    "objectives",
    "parameters",
    "derived",
    "constraints",
    "sampler",
    "outcomeConstraints",
)


def describe(spec: StudySpec) -> dict[str, Any]:
    """Objectives, space and sampler as plain data."""
    space, sampler = spec.space, spec.sampler
    return {
        "schema": 1,
        "objectives": [
            {
                "metric": item.metric,
                "direction": item.direction.value,
                "summary": item.summary.value,
            }
            for item in spec.objectives
        ],
        "parameters": [_parameter(item) for item in space.parameters],
        "derived": [[item.name, item.value.text] for item in space.derived],
        "constraints": [
            [item.name, item.forbid.text, item.accept_probability] for item in space.constraints
        ],
        "outcomeConstraints": [
            [item.metric, item.min, item.max] for item in spec.outcome_constraints
        ],
        "sampler": {
            "algorithm": sampler.algorithm.value,
            "seed": sampler.seed,
            "startupTrials": sampler.startup_trials,
            "settings": dict(sampler.settings),
        },
    }


def described_parameters(described: Mapping[str, Any]) -> tuple[Parameter, ...]:
    """The parameters that a description holds, without their conditions; unknown kinds left out."""
    found = (_read_parameter(item) for item in described.get("parameters", ()))
    return tuple(parameter for parameter in found if parameter)


def _read_parameter(plain: Mapping[str, Any]) -> Parameter | None:
    name = plain["name"]
    match plain["type"]:
        case "Choice":
            return Choice(name=name, values=tuple(plain["values"]), ordered=plain["ordered"])
        case "Double" | "Integer" as kind:
            made = Double if kind == "Double" else Integer
            fields = ("low", "high", "step", "log")
            return made(name=name, **{field: plain[field] for field in fields})
        case _:
            return None


def refuse_changes(stored: Mapping[str, Any], described: Mapping[str, Any]) -> None:
    """Refuses a study that differs from its stored trials.

    Raises:
        SpecChanged: with one fault for each changed field.
    """
    changed = [
        name
        for name in _FIELDS
        if name in stored and json.dumps(stored[name]) != json.dumps(described[name])
    ]
    if changed:
        raise SpecChanged(
            Fault(_path(name), "cannot change after the first trial: restore it, or use a new name")
            for name in changed
        )


def _path(name: str) -> Path:
    return ("spec", name)


def _parameter(parameter: Parameter) -> dict[str, Any]:
    condition = parameter.condition
    plain: dict[str, Any] = {"name": parameter.name, "type": type(parameter).__name__}
    if condition is not None:
        plain |= {"when": condition.when.text, "otherwise": condition.otherwise}
    if isinstance(parameter, Choice):
        return plain | {"values": list(parameter.values), "ordered": parameter.ordered}
    return plain | {
        "low": parameter.low,
        "high": parameter.high,
        "step": parameter.step,
        "log": parameter.log,
    }
