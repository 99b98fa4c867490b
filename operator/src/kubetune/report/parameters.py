"""The parameters of a study as all its phases have them."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import reduce

from kubetune.domain.space import Choice, Double, Integer, Parameter
from kubetune.domain.study import StudySpec


def searched(spec: StudySpec) -> tuple[Parameter, ...]:
    """Every parameter once, wide enough for what any phase draws."""
    found: dict[str, list[Parameter]] = {}
    spaces = [spec.space, *(phase.space for phase in spec.phases)]
    for parameter in (item for space in spaces for item in space.parameters):
        found.setdefault(parameter.name, []).append(parameter)
    return tuple(reduce(_wider, items) for items in found.values())


def named(parameters: Iterable[Parameter], names: Sequence[str]) -> list[Parameter]:
    """The parameters in this order of names, others after them."""
    return sorted(
        parameters,
        key=lambda item: names.index(item.name) if item.name in names else len(names),
    )


def _wider(one: Parameter, other: Parameter) -> Parameter:
    match one, other:
        case Double(), Double():
            return replace(one, low=min(one.low, other.low), high=max(one.high, other.high))
        case Integer(), Integer():
            return replace(one, low=min(one.low, other.low), high=max(one.high, other.high))
        case Choice(), Choice():
            more = tuple(value for value in other.values if value not in one.values)
            values = (*one.values, *more)
            numbers = not any(isinstance(value, str) for value in values)
            ordered = one.ordered and other.ordered and numbers
            return replace(
                one, values=tuple(sorted(values)) if ordered else values, ordered=ordered
            )
        case _:
            return one
