"""From a sampler's coordinates to a trial's parameters, feasible by construction, and back.

Parameters are decided one after the other: conditional ones after those that their condition
names, lists before ranges, small before large. A hard constraint bounds the last of its parameters
in that order, its pivot; the pivot's axis is mapped onto what its constraints leave over (measured
against redrawing and penalties, this finds better optima with the same number of trials). Where
nothing is left over, or a constraint has no such parameter, the candidate is broken and must be
drawn again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from kubetune.domain.axes import (
    Axis,
    axis,
    coordinate_of,
    listed,
    natural,
    ordered,
    snapped,
    value_at,
)
from kubetune.domain.clauses import Clauses, along
from kubetune.domain.expressions import Undefined
from kubetune.domain.slices import ListSlice, RangeSlice, list_slice, range_slice
from kubetune.domain.space import Constraint, Derived, Double, Integer, Parameter, Space
from kubetune.domain.values import Assignment, Value

Point: TypeAlias = Mapping[str, float | int]
"""Axis name to coordinate; complete, inactive parameters included."""

Slice: TypeAlias = ListSlice | RangeSlice


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What a point means.

    `parameters` holds active parameters, `otherwise` values, derived and fixed values. `broken`
    names the hard constraints that it violates, `soft` the soft ones that it matches.
    """

    point: Point
    parameters: Assignment
    active: frozenset[str]
    broken: tuple[str, ...] = ()
    soft: tuple[str, ...] = ()


@dataclass(slots=True)
class _Walk:
    """The values decided so far."""

    values: dict[str, Any]
    active: set[str] = field(default_factory=set)


class Coordinates:
    """The axes of a space and the mapping behind them. Immutable after construction."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self._derived = {item.name: item for item in space.derived}
        self._parameters = {item.name: item for item in space.parameters}
        self._closures: dict[str, frozenset[str]] = {}
        self.order = self._draw_order()
        self._rank = {parameter.name: rank for rank, parameter in enumerate(self.order)}
        self._ready = self._derived_ready()
        self._clauses = self._bounded()
        self.axes: tuple[Axis, ...] = tuple(
            axis(parameter, bounded=bool(self._clauses[parameter.name]))
            for parameter in space.parameters
        )
        self._axes = {item.name: item for item in self.axes}

    def candidate(self, point: Point) -> Candidate:
        """What a point means, by construction feasible wherever a value is left over."""
        return self._decide(point, lambda parameter, walk: self._pick(parameter, walk, point))

    def natural(self, units: Mapping[str, float]) -> Candidate:
        """What shares in [0, 1) of each range mean when constraints are not asked."""

        def pick(parameter: Parameter, _: _Walk) -> Value:
            return natural(parameter, units[parameter.name])

        return self._decide(units, pick)

    def assess(self, parameters: Assignment) -> Candidate:
        """What given values of the active parameters mean: derived values, broken constraints.

        Raises:
            KeyError: an active parameter is missing.
        """
        return self._decide({}, lambda parameter, _: parameters[parameter.name])

    def encode(self, parameters: Assignment) -> dict[str, float | int]:
        """The point of given parameters: the inverse of `candidate`, for feasible ones."""
        point: dict[str, float | int] = {item.name: item.middle for item in self.axes}

        def pick(parameter: Parameter, walk: _Walk) -> Value:
            value = parameters[parameter.name]
            point[parameter.name] = self._coordinate(parameter, walk, value)
            return value

        self._decide({}, pick)
        return point

    def needs(self, name: str) -> frozenset[str]:
        """The parameters that a parameter or derived value depends on; empty for a fixed one."""
        if name in self._parameters:
            return frozenset({name})
        if name not in self._derived:
            return frozenset()
        if name not in self._closures:
            names = self._derived[name].value.names
            self._closures[name] = frozenset().union(*map(self.needs, names))
        return self._closures[name]

    def constraint_needs(self, constraint: Constraint) -> frozenset[str]:
        """The parameters that a constraint speaks of, through derived values too."""
        return frozenset().union(*map(self.needs, constraint.forbid.names))

    def _decide(self, point: Point, pick: Callable[[Parameter, _Walk], Value]) -> Candidate:
        walk = _Walk(dict(self.space.fixed))
        self._derive(walk, -1)
        for rank, parameter in enumerate(self.order):
            condition = parameter.condition
            if condition is None or condition.when.holds(walk.values):
                walk.values[parameter.name] = pick(parameter, walk)
                walk.active.add(parameter.name)
            elif condition.otherwise is not None:
                walk.values[parameter.name] = condition.otherwise
            self._derive(walk, rank)
        matched = [item for item in self.space.constraints if self._matches(item, walk.values)]
        return Candidate(
            point=point,
            parameters=walk.values,
            active=frozenset(walk.active),
            broken=tuple(item.name for item in matched if item.hard),
            soft=tuple(item.name for item in matched if not item.hard),
        )

    def _matches(self, constraint: Constraint, values: Mapping[str, Any]) -> bool:
        """A constraint on a parameter without a value here does not apply."""
        return constraint.forbid.names <= values.keys() and constraint.forbid.holds(values)

    def _derive(self, walk: _Walk, rank: int) -> None:
        for item in self._ready.get(rank, ()):
            try:
                walk.values[item.name] = item.value.evaluate(walk.values)
            except Undefined:
                continue

    def _pick(self, parameter: Parameter, walk: _Walk, point: Point) -> Value:
        coordinate = point[parameter.name]
        clauses = self._clauses[parameter.name]
        if not clauses:
            return value_at(parameter, self._axes[parameter.name], coordinate)
        if not ordered(parameter):
            return self._next_allowed(parameter, walk, clauses, int(coordinate))
        part = self._slice(parameter, walk, clauses)
        if part is None:
            return natural(parameter, float(coordinate))
        return snapped(parameter, part.at(float(coordinate)))

    def _next_allowed(
        self, parameter: Parameter, walk: _Walk, clauses: tuple[Clauses, ...], index: int
    ) -> Value:
        """The value at an index or, when it is forbidden here, the next allowed one in the list."""
        values = listed(parameter)
        assert values is not None
        allowed = self._allowed(parameter, walk, clauses)
        for offset in range(len(values)):
            value = values[(index + offset) % len(values)]
            if allowed(value):
                return value
        return values[index]

    def _slice(
        self, parameter: Parameter, walk: _Walk, clauses: tuple[Clauses, ...]
    ) -> Slice | None:
        allowed = self._allowed(parameter, walk, clauses)
        values = listed(parameter)
        if values is not None:
            return list_slice(values, allowed)
        assert isinstance(parameter, Double | Integer)
        ends = [end for item in clauses for end in item.boundaries(walk.values)]
        truths = [
            self._truth(parameter, walk, truth.holds) for item in clauses for truth in item.truths
        ]
        return range_slice(parameter, allowed, ends, truths)

    def _allowed(
        self, parameter: Parameter, walk: _Walk, clauses: tuple[Clauses, ...]
    ) -> Callable[[Value], bool]:
        def none_matches(values: Mapping[str, Any]) -> bool:
            return not any(self._matches(item.constraint, values) for item in clauses)

        return self._truth(parameter, walk, none_matches)

    def _truth(
        self, parameter: Parameter, walk: _Walk, holds: Callable[[Mapping[str, Any]], bool]
    ) -> Callable[[Value], bool]:
        """A truth as a function of this parameter's value, with derived values kept up."""
        rank = self._rank[parameter.name]
        trial = _Walk(dict(walk.values))

        def truth(value: Value) -> bool:
            trial.values[parameter.name] = snapped(parameter, value)
            self._derive(trial, rank)
            return holds(trial.values)

        return truth

    def _coordinate(self, parameter: Parameter, walk: _Walk, value: Value) -> float | int:
        clauses = self._clauses[parameter.name]
        if clauses and ordered(parameter):
            part = self._slice(parameter, walk, clauses)
            return 0.5 if part is None else part.unit(value)  # type: ignore[arg-type] # numbers
        return coordinate_of(parameter, self._axes[parameter.name], value)

    def _draw_order(self) -> tuple[Parameter, ...]:
        """Conditional parameters after what they depend on; lists before ranges, small first."""
        waiting = sorted(self.space.parameters, key=_weight)
        order: list[Parameter] = []
        decided: set[str] = set()
        while waiting:
            for parameter in waiting:
                condition = parameter.condition
                names = condition.when.names if condition else ()
                if frozenset().union(*map(self.needs, names)) <= decided:
                    break
            else:
                raise ValueError(f"the conditions of {waiting[0].name} and others form a circle")
            waiting.remove(parameter)
            order.append(parameter)
            decided.add(parameter.name)
        return tuple(order)

    def _derived_ready(self) -> dict[int, tuple[Derived, ...]]:
        """Derived values by the rank of the parameter that completes what they need."""
        ready: dict[int, tuple[Derived, ...]] = {}
        for item in self.space.derived:
            rank = max((self._rank[name] for name in self.needs(item.name)), default=-1)
            ready[rank] = (*ready.get(rank, ()), item)
        return ready

    def _bounded(self) -> dict[str, tuple[Clauses, ...]]:
        """The hard constraints that each parameter is the pivot of."""
        bounded: dict[str, tuple[Clauses, ...]] = dict.fromkeys(self._parameters, ())
        for constraint in self.space.constraints:
            names = self.constraint_needs(constraint)
            if constraint.hard and names:
                pivot = max(names, key=self._rank.__getitem__)
                bounded[pivot] = (*bounded[pivot], along(constraint, pivot, self.needs))
        return bounded


def _weight(parameter: Parameter) -> tuple[int, int]:
    values = listed(parameter)
    if values is None:
        return 2, 0
    return int(ordered(parameter)), len(values)
