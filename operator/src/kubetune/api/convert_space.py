"""The search space, from the wire into the domain."""

from collections.abc import Iterable, Mapping

from kubetune.api.compiling import Compiler, negated
from kubetune.api.mending import Draft
from kubetune.api.v1alpha1.base import WHOLE_LIMIT
from kubetune.api.v1alpha1.parameter import Parameter as WireParameter
from kubetune.api.v1alpha1.space import Constraint as WireConstraint
from kubetune.domain.expressions import Expression, Kind, compile_expression
from kubetune.domain.faults import Path
from kubetune.domain.space import (
    Choice,
    Condition,
    Constraint,
    Derived,
    Double,
    Integer,
    Parameter,
    Space,
)
from kubetune.domain.values import Value

_SPELLED = {
    Kind.STRING: "text",
    Kind.BOOL: "true or false",
    Kind.INT: "a whole number",
    Kind.DOUBLE: "a number",
}


def kind_of_value(value: Value) -> Kind:
    """The kind of one plain value."""
    if isinstance(value, bool):
        return Kind.BOOL
    if isinstance(value, int):
        return Kind.INT
    return Kind.DOUBLE if isinstance(value, float) else Kind.STRING


def kind_of_values(values: Iterable[Value]) -> Kind | None:
    """The kind of a list's values: whole numbers among numbers are numbers; None when mixed."""
    kinds = {kind_of_value(value) for value in values}
    if kinds == {Kind.INT, Kind.DOUBLE}:
        return Kind.DOUBLE
    return kinds.pop() if len(kinds) == 1 else None


def kind_of(parameter: WireParameter) -> Kind | None:
    """The kind of a parameter's values, None when its list mixes kinds."""
    match parameter.type:
        case "Double":
            return Kind.DOUBLE
        case "Integer":
            return Kind.INT
        case _:
            return kind_of_values(parameter.values or ())


def spelled(kind: Kind) -> str:
    """A kind of plain values in words."""
    return _SPELLED[kind]


def cast(value: Value, kind: Kind) -> Value:
    """The value in this kind: 3.0 for a whole number, 3 for a number.

    Raises:
        ValueError: it is of another kind.
    """
    found = kind_of_value(value)
    if found is kind:
        return value
    if kind is Kind.DOUBLE and found is Kind.INT:
        return float(value)
    if kind is Kind.INT and isinstance(value, float) and is_whole(value):
        return int(value)
    raise ValueError(value)


def is_whole(number: float) -> bool:
    """Whether a number is whole and small enough to be kept exactly."""
    return number.is_integer() and abs(number) <= WHOLE_LIMIT


def parameter(wire: WireParameter, condition: Condition | None) -> Parameter:
    """One parameter that passed its checks; lists of numbers are put in order."""
    kind = kind_of(wire)
    assert kind is not None
    if wire.values is not None:
        values = [cast(value, kind) for value in wire.values]
        ordered = wire.type != "Categorical"
        listed = tuple(sorted(values, key=float)) if ordered else tuple(values)
        return Choice(name=wire.name, values=listed, ordered=ordered, condition=condition)
    assert wire.min is not None
    assert wire.max is not None
    log = wire.scale == "Log"
    if kind is Kind.INT:
        low, high, step = int(wire.min), int(wire.max), int(wire.step or 1)
        return Integer(name=wire.name, low=low, high=high, step=step, log=log, condition=condition)
    return Double(
        name=wire.name,
        low=wire.min,
        high=wire.max,
        step=wire.step,
        log=log,
        condition=condition,
    )


def fixed_values(fixed: Mapping[str, Value]) -> dict[str, Kind]:
    """The kinds of fixed values."""
    return {name: kind_of_value(value) for name, value in fixed.items()}


def listed_values(draft: Draft) -> dict[str, list[Value]]:
    """Every value of the parameters that have a sound list, unless a retry may change them."""
    spec = draft.study.spec
    adjusted = {item.name for item in spec.trials.on_out_of_memory}
    listed: dict[str, list[Value]] = {}
    for item in spec.parameters:
        kind = kind_of(item)
        if item.values is None or kind is None or item.name in adjusted:
            continue
        values = item.values if item.otherwise is None else [*item.values, item.otherwise]
        try:
            listed[item.name] = [cast(value, kind) for value in values]
        except ValueError:
            continue
    return listed


def declared(draft: Draft, compiler: Compiler) -> tuple[dict[str, Kind], dict[str, Derived]]:
    """The kinds of all names that expressions may use, and the derived values that compile.

    A name whose kind cannot be told is lost for the compiler.
    """
    spec = draft.study.spec
    kinds = fixed_values(spec.fixed)
    for item in spec.parameters:
        kind = kind_of(item)
        if kind is None:
            compiler.lost |= {item.name}
        else:
            kinds[item.name] = kind
    kinds = {name: kind for name, kind in kinds.items() if name not in compiler.lost}
    derived: dict[str, Derived] = {}
    for index, wire in enumerate(spec.derived):
        path = draft.path("derived", index, "value")
        later = {other.name for other in spec.derived[index:]}
        expression = compiler.compile(wire.value, kinds, (), path, later)
        if expression is None or wire.name in compiler.lost:
            compiler.lost |= {wire.name}
            continue
        kinds[wire.name] = expression.kind
        derived[wire.name] = Derived(wire.name, expression)
    return kinds, derived


def conditions(
    draft: Draft, compiler: Compiler, kinds: Mapping[str, Kind]
) -> dict[str, Expression]:
    """The conditions that compile, by parameter."""
    found: dict[str, Expression] = {}
    for index, wire in enumerate(draft.study.spec.parameters):
        if wire.when is None:
            continue
        path = draft.path("parameters", index, "when")
        expression = compiler.compile(wire.when, kinds, (Kind.BOOL,), path)
        if expression is not None:
            found[wire.name] = expression
    return found


def constraints(
    draft: Draft, compiler: Compiler, kinds: Mapping[str, Kind]
) -> tuple[Constraint, ...]:
    """The constraints that compile."""
    found = []
    for index, wire in enumerate(draft.study.spec.constraints):
        path = draft.path("constraints", index)
        expression = _forbidden(wire, compiler, kinds, path)
        if expression is not None:
            found.append(
                Constraint(
                    name=wire.name,
                    forbid=expression,
                    accept_probability=wire.accept_probability or 0.0,
                    message=wire.message,
                )
            )
    return tuple(found)


def _forbidden(
    wire: WireConstraint, compiler: Compiler, kinds: Mapping[str, Kind], path: Path
) -> Expression | None:
    """What a constraint forbids; a requirement is compiled as written first, for its columns."""
    expects = (Kind.BOOL,)
    if wire.forbid is not None:
        return compiler.compile(wire.forbid, kinds, expects, (*path, "forbid"))
    if wire.require is None:
        return None
    at = (*path, "require")
    if compiler.compile(wire.require, kinds, expects, at) is None:
        return None
    return compile_expression(negated(wire.require), kinds, expects)


def space(
    draft: Draft,
    kinds: Mapping[str, Kind],
    derived: Mapping[str, Derived],
    whens: Mapping[str, Expression],
    limits: tuple[Constraint, ...],
) -> Space:
    """The space of a draft whose parts have all passed their checks."""
    spec = draft.study.spec
    return Space(
        parameters=tuple(
            parameter(wire, _condition(wire, kinds[wire.name], whens)) for wire in spec.parameters
        ),
        derived=tuple(derived.values()),
        fixed=dict(spec.fixed),
        constraints=limits,
    )


def _condition(
    wire: WireParameter, kind: Kind, whens: Mapping[str, Expression]
) -> Condition | None:
    if wire.name not in whens:
        return None
    otherwise = None if wire.otherwise is None else cast(wire.otherwise, kind)
    return Condition(whens[wire.name], otherwise)
