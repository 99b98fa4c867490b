"""Parameters: ranges that are ranges, lists of one kind."""

import math
from collections.abc import Iterator
from decimal import Decimal

from kubetune.api.convert_space import cast, is_whole, kind_of, kind_of_value, spelled
from kubetune.api.mending import Draft
from kubetune.api.v1alpha1.parameter import Parameter
from kubetune.api.wording import show
from kubetune.domain.faults import Fault
from kubetune.domain.values import Value

STEP_LIMIT = 10_000
"""The most values that a Double with a step may have."""

Finding = tuple[str, str]
"""A field of a parameter (empty: the parameter) and what is wrong with it."""


def check(draft: Draft) -> Iterator[Fault]:
    """Faults of every parameter."""
    for index, parameter in enumerate(draft.study.spec.parameters):
        for field, message in _findings(parameter):
            rest = (field,) if field else ()
            yield Fault(draft.path("parameters", index, *rest), message)


def _findings(parameter: Parameter) -> Iterator[Finding]:
    if parameter.values is not None:
        yield from _list(parameter, parameter.values)
    elif parameter.type == "Categorical":
        yield "", "a Categorical parameter needs values: write values: [a, b]"
    else:
        yield from _range(parameter)
    yield from _condition(parameter)


def _list(parameter: Parameter, values: list[Value]) -> Iterator[Finding]:
    for field in ("min", "max", "step"):
        if getattr(parameter, field) is not None:
            yield field, f"values are given, so there is no {field}: take one of them out"
    if parameter.scale == "Log":
        yield "scale", "values are given, so there is no scale: take it out"
    kind = kind_of(parameter)
    if kind is None:
        kinds = sorted({spelled(kind_of_value(value)) for value in values})
        yield "values", f"mixes {' and '.join(kinds)}: write values of one kind"
        return
    try:
        same = [cast(value, kind) for value in values]
    except ValueError as error:
        yield "values", f"{show(error.args[0])} is no {parameter.type}: {_instead(parameter.type)}"
        return
    for index, value in enumerate(same):
        if value in same[:index]:
            yield "values", f"{show(values[index])} is there twice: write it once"


def _range(parameter: Parameter) -> Iterator[Finding]:
    low, high = parameter.min, parameter.max
    for field, bound in (("min", low), ("max", high)):
        if bound is None:
            yield "", f"{field} is missing: write min and max, or values"
    if low is None or high is None:
        return
    fractions = list(_fractions(parameter)) if parameter.type == "Integer" else []
    yield from fractions
    if fractions:
        return
    if low >= high:
        yield "min", f"{_number(low)} is not below max {_number(high)}: {_swapped(low, high)}"
    elif parameter.step is not None:
        yield from _step(low, high, parameter.step)
    if parameter.scale == "Log":
        yield from _log(parameter, low)


def _fractions(parameter: Parameter) -> Iterator[Finding]:
    for field in ("min", "max", "step"):
        number = getattr(parameter, field)
        if number is not None and not is_whole(number):
            yield field, f"{_number(number)} is no whole number: write one, or type: Double"


def _log(parameter: Parameter, low: float) -> Iterator[Finding]:
    if low <= 0:
        yield "min", f"{_number(low)} has no logarithm: write min above 0, or scale: Linear"
    if parameter.type == "Double" and parameter.step is not None:
        yield "step", "step and scale: Log exclude each other for a Double: leave one out"
    elif parameter.step is not None and parameter.step != 1:
        yield "step", "a step above 1 and scale: Log exclude each other: leave one out"


def _step(low: float, high: float, step: float) -> Iterator[Finding]:
    if step <= 0:
        yield "step", f"{_number(step)} leads nowhere: write a step above 0"
        return
    width = Decimal(repr(high)) - Decimal(repr(low))
    count = math.floor(width / Decimal(repr(step)))
    if count == 0:
        yield "step", f"{_number(step)} is larger than max - min: write a smaller step"
    elif count >= STEP_LIMIT:
        yield "step", f"{_number(step)} gives more than {STEP_LIMIT} values: leave step out"
    elif width % Decimal(repr(step)):
        last = float(Decimal(repr(low)) + count * Decimal(repr(step)))
        reach = f"{_number(step)} never reaches max {_number(high)}"
        yield "step", f"{reach}: write max: {_number(last)}, or another step"


def _condition(parameter: Parameter) -> Iterator[Finding]:
    if parameter.otherwise is None:
        return
    if parameter.when is None:
        yield "otherwise", "there is no `when`: write one, or take otherwise out"
    kind = kind_of(parameter)
    if kind is not None:
        try:
            cast(parameter.otherwise, kind)
        except ValueError:
            yield (
                "otherwise",
                f"{show(parameter.otherwise)} is not {spelled(kind)} like the others",
            )


def _swapped(low: float, high: float) -> str:
    if low == high:
        return "a value that never changes belongs into fixed"
    return f"write min: {_number(high)} and max: {_number(low)}"


def _number(value: float) -> str:
    return f"{value:.15g}"


def _instead(kind: str) -> str:
    return "write whole numbers" if kind == "Integer" else "write numbers, or type: Categorical"
