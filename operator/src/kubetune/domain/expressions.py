"""CEL expressions of a study: compiled once with types, evaluated over plain values.

The language is CEL (https://cel.dev), by Google's C++ implementation. Beyond its standard
checker, numbers of different kinds may be compared (`network_dim < 1.5`), as the Kubernetes API
server allows; arithmetic between kinds still needs `double(x)` or `int(x)`, and the fault says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeAlias

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

    def evaluate(self, values: Mapping[str, Any]) -> Value:
        """The value over `values` (plain values, and dicts for maps).

        Raises:
            Undefined: a name or key is missing, or the arithmetic has no answer.
        """
        raise NotImplementedError

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether it is true; False when it is undefined."""
        raise NotImplementedError


def compile_expression(text: str, scope: Scope, expects: tuple[Kind, ...] = ()) -> Expression:
    """Compiles a text over a scope.

    Raises:
        ExpressionFault: with every fault found, each with its column and what to write.
    """
    raise NotImplementedError(text, scope, expects)
