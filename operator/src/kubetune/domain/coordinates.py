"""From a sampler's coordinates to a trial's parameters, feasible by construction, and back.

Parameters are decided one after the other: conditional ones after those that their condition
names, lists before ranges, small before large. A hard constraint bounds the last of its parameters
in that order, its pivot. A coordinate that the constraints forbid there is moved along its axis to
what they leave over; where nothing is left, the candidate is broken and must be drawn again.

Moving to the nearest allowed value was measured against mapping a unit interval onto what is left,
against redrawing and against penalties: with the optimum on a border it finds better values than
all of them with the same number of trials, with the optimum inside it is level
(docs/decisions/0003-forbidden-regions.md; `make bench` prints the figures).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from typing import Any, TypeAlias

from kubetune.domain.axes import (
    Axis,
    axis,
    coordinate_of,
    listed,
    ordered,
    share_of,
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


class Repair(StrEnum):
    """What becomes of a coordinate that is forbidden given those decided before it.

    NEAREST moves it to the nearest allowed value: for samplers that learn. SPREAD maps its place
    in the range onto what is left: for samplers that cover the space evenly. NONE leaves it: for
    enumerations, which meet every combination anyway.
    """

    NEAREST = "nearest"
    SPREAD = "spread"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What a point means.

    `point` is the point after repair: the one to learn from. `parameters` holds active parameters,
    `otherwise` values, derived and fixed values. `broken` names the hard constraints that it
    violates, `soft` the soft ones that it matches, `moved` the hard ones for which a value as
    proposed was moved.
    """

    point: Point
    parameters: Assignment
    active: frozenset[str]
    broken: tuple[str, ...] = ()
    soft: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()


@dataclass(slots=True)
class _Walk:
    """The values decided so far, and the constraints that moved one of them."""

    values: dict[str, Any]
    active: set[str] = field(default_factory=set)
    moved: dict[str, None] = field(default_factory=dict)


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
        self.axes: tuple[Axis, ...] = tuple(map(axis, space.parameters))

    def candidate(self, point: Point, repair: Repair = Repair.NEAREST) -> Candidate:
        """What a point means, feasible by construction wherever a value is left over."""
        repaired = dict(point)

        def pick(parameter: Parameter, walk: _Walk) -> Value:
            asked = value_at(parameter, point[parameter.name])
            value = self._repaired(parameter, walk, asked, repair)
            if value != asked:
                repaired[parameter.name] = coordinate_of(parameter, value)
            return value

        return self._decide(repaired, pick)

    def assess(self, parameters: Assignment) -> Candidate:
        """What given values of the active parameters mean: derived values, broken constraints.

        Raises:
            KeyError: an active parameter is missing.
        """
        return self._decide({}, lambda parameter, _: parameters[parameter.name])

    def broken(self, values: Assignment) -> tuple[str, ...]:
        """The hard constraints that complete values break, derived and fixed ones included."""
        constraints = (item for item in self.space.constraints if item.hard)
        return tuple(item.name for item in constraints if self._matches(item, values))

    def encode(self, parameters: Assignment) -> dict[str, float | int]:
        """The point of given parameters; the middle of an axis for an inactive parameter.

        Raises:
            KeyError: an active parameter is missing.
            ValueError: a value is none of its parameter's.
        """
        point: dict[str, float | int] = {item.name: item.middle for item in self.axes}

        def pick(parameter: Parameter, _: _Walk) -> Value:
            value = parameters[parameter.name]
            point[parameter.name] = coordinate_of(parameter, value)
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
            moved=tuple(walk.moved),
        )

    def _matches(self, constraint: Constraint, values: Mapping[str, Any]) -> bool:
        """A constraint on a parameter without a value here does not apply.

        A hard one whose arithmetic has no answer forbids: nothing unknown is ever launched.
        """
        if not self.constraint_needs(constraint) <= values.keys():
            return False
        try:
            return constraint.forbid.evaluate(values) is True
        except Undefined:
            return constraint.hard

    def _derive(self, walk: _Walk, rank: int) -> None:
        for item in self._ready.get(rank, ()):
            try:
                walk.values[item.name] = item.value.evaluate(walk.values)
            except Undefined:
                walk.values.pop(item.name, None)

    def _repaired(self, parameter: Parameter, walk: _Walk, asked: Value, repair: Repair) -> Value:
        clauses = self._clauses[parameter.name]
        if not clauses or repair is Repair.NONE:
            return asked
        allowed = self._allowed(parameter, walk, clauses)
        if allowed(asked):
            if repair is Repair.NEAREST or not ordered(parameter):
                return asked
        else:
            walk.moved.update(self._forbidding(parameter, walk, clauses, asked))
        if not ordered(parameter):
            return _next_allowed(parameter, asked, allowed)
        part = self._slice(parameter, walk, clauses, allowed)
        if part is None:
            return asked
        if repair is Repair.SPREAD:
            return snapped(parameter, part.at(share_of(parameter, asked)))
        if isinstance(part, ListSlice):
            return part.nearest(asked, listed(parameter) or ())
        return snapped(parameter, part.nearest(float(asked)))

    def _forbidding(
        self, parameter: Parameter, walk: _Walk, clauses: tuple[Clauses, ...], asked: Value
    ) -> dict[str, None]:
        """The constraints that forbid a value here, in order."""
        forbidding: dict[str, None] = {}
        for item in clauses:
            matches = partial(self._matches, item.constraint)
            if self._truth(parameter, walk, matches)(asked):
                forbidding[item.constraint.name] = None
        return forbidding

    def _slice(
        self,
        parameter: Parameter,
        walk: _Walk,
        clauses: tuple[Clauses, ...],
        allowed: Callable[[Value], bool],
    ) -> Slice | None:
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


def _next_allowed(parameter: Parameter, asked: Value, allowed: Callable[[Value], bool]) -> Value:
    """The next allowed value of a list without order, counted in a circle from the asked one."""
    values = listed(parameter) or ()
    place = values.index(asked)
    for value in (*values[place:], *values[:place]):
        if allowed(value):
            return value
    return asked


def _weight(parameter: Parameter) -> tuple[int, int]:
    values = listed(parameter)
    if values is None:
        return 2, 0
    return int(ordered(parameter)), len(values)
