"""What a study says of itself in the database, and what of it may not change any more."""

import json
from collections.abc import Mapping
from typing import Any

from kubetune.domain import course
from kubetune.domain.faults import Fault, Path, SpecChanged
from kubetune.domain.space import Choice, Double, Integer, Parameter
from kubetune.domain.study import Phase, Sampler, StudySpec

_FIELDS = (
    "objectives",
    "parameters",
    "derived",
    "constraints",
    "sampler",
    "outcomeConstraints",
)


def describe(spec: StudySpec) -> dict[str, Any]:
    """Objectives, space, sampler and what draws depend on of each phase, as plain data."""
    space = spec.space
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
        "sampler": _sampler(spec.sampler),
        "phases": [_phase(spec, item) for item in spec.phases],
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
    """Refuses a study that differs from its stored trials; phases may follow those there are.

    What was stored before a field was described says nothing of it.

    Raises:
        SpecChanged: with one fault for each changed field.
    """
    faults = [
        Fault(_path(name), "cannot change after the first trial: restore it, or use a new name")
        for name in _FIELDS
        if name in stored and json.dumps(stored[name]) != json.dumps(described[name])
    ]
    phases = stored.get("phases", [])
    if json.dumps(phases) != json.dumps(described["phases"][: len(phases)]):
        message = "that are there cannot change after the first trial: restore them, add new ones"
        faults.append(Fault(_path("phases"), f"{message} at the end, or use a new name"))
    if faults:
        raise SpecChanged(faults)


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


def _sampler(sampler: Sampler) -> dict[str, Any]:
    return {
        "algorithm": sampler.algorithm.value,
        "seed": sampler.seed,
        "startupTrials": sampler.startup_trials,
        "settings": dict(sampler.settings),
    }


def _phase(spec: StudySpec, phase: Phase) -> dict[str, Any]:
    """Of its space only what is not the study's: that is described once."""
    own = course.own_parameters(spec, phase)
    return {
        "name": phase.name,
        "parameters": [_parameter(item) for item in own],
        "sampler": _sampler(phase.sampler),
        "narrow": phase.narrow and [phase.narrow.around_top, phase.narrow.shrink],
        "when": phase.when and phase.when.text,
    }
