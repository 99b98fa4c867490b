"""CEL expressions of a study: compiled once with types, evaluated over plain values.

The language is CEL (https://cel.dev), by Google's C++ implementation. Beyond its standard
checker, numbers of different kinds may be compared (`network_dim < 1.5`), as the Kubernetes API
server allows; arithmetic between kinds still needs `double(x)` or `int(x)`, and the fault says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeAlias

from cel_expr_python import cel

from kubetune.domain import cel_tree
from kubetune.domain.expression_faults import explain
from kubetune.domain.values import Value


class Kind(StrEnum):
    """The types of variables and results."""

    BOOL = "bool"
    INT = "int"
    DOUBLE = "double"
    STRING = "string"
    DOUBLES = "map(string, double)"
    INTS = "map(string, int)"


Scope: TypeAlias = Mapping[str, Kind]
"""The variables an expression may name, and their types."""

TEXT_LIMIT = 2048
"""The longest expression, in characters."""

_TYPES = {
    Kind.BOOL: cel.Type.BOOL,
    Kind.INT: cel.Type.INT,
    Kind.DOUBLE: cel.Type.DOUBLE,
    Kind.STRING: cel.Type.STRING,
    Kind.DOUBLES: cel.Type.Map(cel.Type.STRING, cel.Type.DOUBLE),
    Kind.INTS: cel.Type.Map(cel.Type.STRING, cel.Type.INT),
}
_KINDS = {"BOOL": Kind.BOOL, "INT": Kind.INT, "DOUBLE": Kind.DOUBLE, "STRING": Kind.STRING}
_SPELLED: dict[tuple[Kind, ...], str] = {
    (Kind.BOOL,): "true or false",
    (Kind.INT,): "a whole number",
    (Kind.DOUBLE,): "a number with a point",
    (Kind.STRING,): "a string",
}
_COMPARISONS = {
    "_<_": "less",
    "_<=_": "less_equals",
    "_>_": "greater",
    "_>=_": "greater_equals",
    "_==_": "equals",
    "_!=_": "not_equals",
}
_ORDERED = ("int", "double", "string", "bool")


class Undefined(Exception):  # noqa: N818 - an answer, not a fault
    """The expression has no value here: a metric not yet reported, a division by zero."""


class ExpressionFault(Exception):  # noqa: N818 - carries the faults of one text
    """The text is no expression over this scope: (column from 1, message) of each fault."""

    def __init__(self, faults: tuple[tuple[int, str], ...]) -> None:
        self.faults = faults
        super().__init__("; ".join(f"column {column}: {message}" for column, message in faults))


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression. Equal when text and scope are equal.

    `names`: the scope's variables it refers to. `fields`: (map, key) of each `metrics.loss`.
    """

    text: str
    kind: Kind
    names: frozenset[str]
    fields: frozenset[tuple[str, str]]
    scope: tuple[tuple[str, Kind], ...] = ()
    tree: cel_tree.Node = field(default=cel_tree.Opaque(), repr=False, compare=False)
    _program: Any = field(default=None, repr=False, compare=False)
    _inputs: tuple[tuple[str, Kind], ...] = field(default=(), repr=False, compare=False)

    def evaluate(self, values: Mapping[str, Any]) -> Value:
        """The value over `values` (plain values, and dicts for maps).

        Raises:
            Undefined: a name or key is missing, or the arithmetic has no answer.
        """
        answer = self._program.eval(data=self._data(values))
        if answer.type() == cel.Type.ERROR:
            raise Undefined(f"{self.text}: {answer.value()}")
        result: Value = answer.value()
        return result

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether it is true; False when it is undefined."""
        return self._program.eval(data=self._data(values)).value() is True

    def _data(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Only what is named, with numbers of the declared kind: CEL never mixes the two."""
        data: dict[str, Any] = {}
        for name, kind in self._inputs:
            if name not in values:
                continue
            value = values[name]
            if kind is Kind.DOUBLE:
                value = float(value)
            elif kind is Kind.DOUBLES:
                value = {key: float(number) for key, number in value.items()}
            data[name] = value
        return data


def compile_expression(text: str, scope: Scope, expects: tuple[Kind, ...] = ()) -> Expression:
    """Compiles a text over a scope, for a result of one of the expected kinds (any if none).

    Raises:
        ExpressionFault: with every fault found, each with its column and what to write.
    """
    if len(text) > TEXT_LIMIT:
        raise ExpressionFault(((1, f"longer than {TEXT_LIMIT} characters"),))
    if not text.strip():
        raise ExpressionFault(((1, "empty: write an expression"),))
    frozen = tuple(sorted(scope.items()))
    environment = _environment(frozen)
    try:
        program = environment.compile(text)
    except RuntimeError as error:
        raise ExpressionFault(explain(text, str(error), scope, _parse(environment, text))) from None
    kind = _KINDS.get(program.return_type().name())
    if kind is None or (expects and kind not in expects):
        wanted = _SPELLED.get(expects) or " or ".join(expects) or "a plain value"
        raise ExpressionFault(((1, f"must give {wanted}, this gives {kind or 'something else'}"),))
    tree = cel_tree.read(program.serialize())
    names = frozenset(
        node.name for node in cel_tree.walk(tree) if isinstance(node, cel_tree.Name)
    ) & frozenset(scope)
    inputs = tuple((name, scope[name]) for name in sorted(names))
    return Expression(text, kind, names, _map_fields(tree), frozen, tree, program, inputs)


def check_syntax(text: str) -> None:
    """Checks that a text is CEL at all, whatever its names mean.

    Raises:
        ExpressionFault: with the first slip.
    """
    try:
        _environment(()).compile(text, disable_check=True)
    except RuntimeError as error:
        raise ExpressionFault(explain(text, str(error), {}, None)) from None


def _map_fields(tree: cel_tree.Node) -> frozenset[tuple[str, str]]:
    found = set()
    for node in cel_tree.walk(tree):
        match node:
            case cel_tree.Select(operand=cel_tree.Name(name=name), field=key):
                found.add((name, key))
            case cel_tree.Call(
                function="_[_]",
                args=(cel_tree.Name(name=name), cel_tree.Literal(value=str() as key)),
            ):
                found.add((name, key))
            case _:
                pass
    return frozenset(found)


def _parse(environment: Any, text: str) -> cel_tree.Node | None:
    """The tree without types; None when not even the syntax is right."""
    try:
        return cel_tree.read(environment.compile(text, disable_check=True).serialize())
    except RuntimeError:
        return None


@lru_cache(maxsize=256)
def _environment(scope: tuple[tuple[str, Kind], ...]) -> Any:
    """A checker in which comparisons between whole numbers and numbers are declared too."""
    excluded = "\n".join(f'    - name: "{operator}"' for operator in _COMPARISONS)
    config = cel.NewEnvConfigFromYaml(
        f"name: kubetune\nstdlib:\n  exclude_functions:\n{excluded}\n"
    )
    return cel.NewEnv(
        config=config,
        variables={name: _TYPES[kind] for name, kind in scope},
        functions=[_declaration(operator, word) for operator, word in _COMPARISONS.items()],
    )


def _declaration(operator: str, word: str) -> Any:
    types = {"int": "int64", "double": "double", "string": "string", "bool": "bool"}
    pairs = [(kind, kind) for kind in _ORDERED] + [("int", "double"), ("double", "int")]
    overloads = []
    for left, right in pairs:
        suffix = types[left] if left == right else f"{types[left]}_{types[right]}"
        arguments = [_TYPES[Kind(left)], _TYPES[Kind(right)]]
        overloads.append(cel.Overload(f"{word}_{suffix}", cel.Type.BOOL, arguments))
    return cel.FunctionDecl(operator, overloads)
