"""The search space: parameters, derived and fixed values, constraints on their combinations."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from kubetune.domain.expressions import Expression, Undefined
from kubetune.domain.values import Assignment, Value


@dataclass(frozen=True, slots=True)
class Condition:
    """When a parameter is active, and the value it has otherwise (None: it has none)."""

    when: Expression
    otherwise: Value | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Double:
    """A number in [low, high]; with `step`, only low, low + step, ... up to high."""

    name: str
    low: float
    high: float
    step: float | None = None
    log: bool = False
    condition: Condition | None = None

    @property
    def values(self) -> tuple[float, ...] | None:
        """Every value there is, in order; None for a continuous parameter."""
        if self.step is None:
            return None
        count = math.floor((self.high - self.low) / self.step + 1e-9) + 1
        low, step = Decimal(repr(self.low)), Decimal(repr(self.step))
        return tuple(float(low + step * index) for index in range(count))


@dataclass(frozen=True, slots=True, kw_only=True)
class Integer:
    """A whole number in [low, high], in steps of `step` from low."""

    name: str
    low: int
    high: int
    step: int = 1
    log: bool = False
    condition: Condition | None = None

    @property
    def values(self) -> tuple[int, ...]:
        """Every value there is, in order."""
        return tuple(range(self.low, self.high + 1, self.step))


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One of a list of values. `ordered`: neighbours in the list are alike (a list of numbers)."""

    name: str
    values: tuple[Value, ...]
    ordered: bool = False
    condition: Condition | None = None


Parameter: TypeAlias = Double | Integer | Choice


@dataclass(frozen=True, slots=True)
class Derived:
    """A value computed from the parameters and from derived values before it."""

    name: str
    value: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Constraint:
    """A combination that is never launched (hard), or seldom (soft).

    `forbid` holds for the combinations meant; a `require` is stored as its negation.
    `accept_probability` 0 makes the constraint hard.
    """

    name: str
    forbid: Expression
    accept_probability: float = 0.0
    message: str = ""

    @property
    def hard(self) -> bool:
        """Whether no trial that matches may ever be launched."""
        return self.accept_probability <= 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """Everything that decides which assignments there are."""

    parameters: tuple[Parameter, ...]
    derived: tuple[Derived, ...] = ()
    fixed: Mapping[str, Value] = field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()

    def parameter(self, name: str) -> Parameter:
        """The parameter of this name.

        Raises:
            KeyError: there is none.
        """
        for parameter in self.parameters:
            if parameter.name == name:
                return parameter
        raise KeyError(name)


def refitted(space: Space, values: Assignment, changes: Assignment) -> dict[str, Value]:
    """The values with these in their places, and derived ones computed anew."""
    fitted: dict[str, Value] = {**values, **changes}
    for derived in space.derived:
        if derived.name in changes:
            continue
        try:
            fitted[derived.name] = derived.value.evaluate(fitted)
        except Undefined:
            fitted.pop(derived.name, None)
    return fitted
