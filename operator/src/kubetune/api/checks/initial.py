"""Initial trials: points of the space, with what the study needs to know of them."""

import math
from collections.abc import Iterator, Mapping

from kubetune.api.checks.names import in_phases
from kubetune.api.convert_space import cast, kind_of_value
from kubetune.api.mending import Draft
from kubetune.api.v1alpha1.initial import InitialTrial as WireTrial
from kubetune.api.wording import show
from kubetune.domain.coordinates import Candidate, Coordinates
from kubetune.domain.expression_faults import suggest
from kubetune.domain.expressions import Kind
from kubetune.domain.faults import Fault
from kubetune.domain.space import Choice, Double, Integer, Parameter
from kubetune.domain.study import InitialTrial
from kubetune.domain.values import Value

Finding = tuple[tuple[str, ...], str]
"""A field below an initial trial and what is wrong with it."""


def check_study(draft: Draft) -> Iterator[Fault]:
    """What can be said of initial trials without the space."""
    baselines = 0
    metrics = [item.metric for item in draft.study.spec.objectives]
    for index, trial in enumerate(draft.study.spec.initial_trials):
        baselines += trial.baseline
        if trial.baseline and baselines > 1:
            path = draft.path("initialTrials", index, "baseline")
            yield Fault(path, "a second baseline: only one initial trial may be it")
        if trial.metrics is not None and draft.sound("objectives"):
            for metric in metrics:
                if metric not in trial.metrics:
                    path = draft.path("initialTrials", index, "metrics")
                    yield Fault(path, f"'{metric}' is missing: a known result has every objective")


def check_points(
    draft: Draft, coordinates: Coordinates
) -> tuple[tuple[InitialTrial, ...], list[Fault]]:
    """The initial trials with all their values, and the faults of those that are no such thing."""
    trials, faults, phased = [], [], in_phases(draft)
    for index, wire in enumerate(draft.study.spec.initial_trials):
        candidate, findings = _assess(wire, coordinates, phased)
        for rest, message in findings:
            faults.append(Fault(draft.path("initialTrials", index, *rest), message))
        if candidate is not None:
            trials.append(
                InitialTrial(
                    name=wire.name,
                    parameters=candidate.parameters,
                    baseline=wire.baseline,
                    metrics=wire.metrics,
                )
            )
    return tuple(trials), faults


def _assess(
    wire: WireTrial, coordinates: Coordinates, phased: Mapping[str, str]
) -> tuple[Candidate | None, list[Finding]]:
    parameters = {item.name: item for item in coordinates.space.parameters}
    findings = list(_strangers(wire, coordinates, phased))
    values: dict[str, Value] = {}
    for name, given in wire.parameters.items():
        if name in parameters:
            value = _member(parameters[name], given)
            if value is None:
                message = f"{show(given)} is outside the space: write {_range(parameters[name])}"
                findings.append((("parameters", name), message))
            else:
                values[name] = value
    candidate, missing = _complete(values, wire, coordinates)
    guesses = " ".join(message for _, message in findings)
    for name in missing:
        if f"did you mean '{name}'" in guesses:
            continue
        message = f"'{name}' is missing: write {_range(parameters[name])}"
        findings.append((("parameters",), message))
    if findings:
        return None, findings
    findings.extend(_inactive(values, candidate, parameters))
    findings.extend(_broken(candidate, coordinates))
    return candidate, findings


def _strangers(
    wire: WireTrial, coordinates: Coordinates, phased: Mapping[str, str]
) -> Iterator[Finding]:
    space = coordinates.space
    parameters = {item.name for item in space.parameters}
    derived = {item.name for item in space.derived}
    for name, value in wire.parameters.items():
        at = ("parameters", name)
        if name in derived:
            yield at, "is derived from the parameters: take it out"
        elif name in space.fixed and value != space.fixed[name]:
            yield at, f"is fixed to {show(space.fixed[name])}: take it out"
        elif name not in parameters and name not in space.fixed:
            phase = phased.get(name)
            what = f"unknown parameter{suggest(name, parameters)}"
            yield at, what if phase is None else f"only phase '{phase}' has it: take it out"


def _complete(
    values: Mapping[str, Value], wire: WireTrial, coordinates: Coordinates
) -> tuple[Candidate, list[str]]:
    """What the values mean, with missing or wrong ones filled; names of those that are missing."""
    filled = dict(values)
    missing: list[str] = []
    while True:
        try:
            return coordinates.assess(filled), missing
        except KeyError as error:
            name = str(error.args[0])
            filled[name] = _first(coordinates.space.parameter(name))
            if name not in wire.parameters:
                missing.append(name)


def _inactive(
    values: Mapping[str, Value], candidate: Candidate, parameters: Mapping[str, Parameter]
) -> Iterator[Finding]:
    for name, value in values.items():
        condition = parameters[name].condition
        if name in candidate.active or condition is None or value == condition.otherwise:
            continue
        when = f"`{condition.when.text}` is false here"
        yield ("parameters", name), f"is not active: {when}; take it out"


def _broken(candidate: Candidate, coordinates: Coordinates) -> Iterator[Finding]:
    messages = {item.name: item.message for item in coordinates.space.constraints}
    for name in candidate.broken:
        why = f" ({messages[name]})" if messages[name] else ""
        yield (
            ("parameters",),
            f"breaks constraint '{name}'{why}: change the values or the constraint",
        )


def _first(parameter: Parameter) -> Value:
    return parameter.values[0] if isinstance(parameter, Choice) else parameter.low


def _member(parameter: Parameter, given: Value) -> Value | None:
    """The parameter's own spelling of a value, None when it is none of its values."""
    match parameter:
        case Choice():
            try:
                value = cast(given, kind_of_value(parameter.values[0]))
            except ValueError:
                return None
            return value if value in parameter.values else None
        case Integer():
            return _whole_member(parameter, given)
        case Double():
            return _number_member(parameter, given)


def _whole_member(parameter: Integer, given: Value) -> int | None:
    try:
        value = int(cast(given, Kind.INT))
    except ValueError:
        return None
    inside = parameter.low <= value <= parameter.high
    return value if inside and (value - parameter.low) % parameter.step == 0 else None


def _number_member(parameter: Double, given: Value) -> float | None:
    try:
        value = float(cast(given, Kind.DOUBLE))
    except ValueError:
        return None
    if parameter.values is not None:
        near = min(parameter.values, key=lambda item: abs(item - value))
        return near if math.isclose(near, value, rel_tol=1e-9, abs_tol=1e-12) else None
    return value if parameter.low <= value <= parameter.high else None


def _range(parameter: Parameter) -> str:
    if isinstance(parameter, Choice):
        return "one of " + ", ".join(show(value) for value in parameter.values[:12])
    step = "" if parameter.step in {None, 1} else f" in steps of {parameter.step:g}"
    return f"a value in {parameter.low:g} .. {parameter.high:g}{step}"
