"""The space as a whole: no circles, constraints that bind something, room to draw in."""

from collections.abc import Iterator, Mapping, Sequence

from kubetune.api.mending import Draft
from kubetune.domain.coordinates import Coordinates
from kubetune.domain.expressions import Expression
from kubetune.domain.faults import Fault
from kubetune.domain.feasibility import Feasibility
from kubetune.domain.space import Derived

SHARE_LIMIT = 0.001
"""A space of which less than this can be drawn is refused."""

SECOND_LOOK = 4_000
"""Samples with which a space is judged before it is refused as too small."""


def check_constraints(draft: Draft) -> Iterator[Fault]:
    """Constraints that say nothing, or two things."""
    for index, item in enumerate(draft.study.spec.constraints):
        if (item.forbid is None) == (item.require is None):
            message = "write either forbid (what must not be) or require (what must be)"
            yield Fault(draft.path("constraints", index), message)


def check_circles(
    draft: Draft, whens: Mapping[str, Expression], derived: Mapping[str, Derived]
) -> Iterator[Fault]:
    """Parameters whose own condition depends on them."""
    needs = {name: set(item.names) for name, item in whens.items()}
    needs |= {name: set(item.value.names) for name, item in derived.items()}
    for index, parameter in enumerate(draft.study.spec.parameters):
        way = _way_back(parameter.name, needs)
        if way is None or parameter.name not in whens:
            continue
        path = draft.path("parameters", index, "when")
        if len(way) == 1:
            yield Fault(path, f"names '{parameter.name}' itself: name other parameters only")
        else:
            circle = " -> ".join((parameter.name, *way))
            yield Fault(path, f"goes in a circle: {circle}; break it")


def check_reach(draft: Draft, spaces: Sequence[Coordinates]) -> Iterator[Fault]:
    """Constraints that no parameter can change, neither the study's nor a phase's."""
    for index, constraint in enumerate(spaces[0].space.constraints):
        if not any(space.constraint_needs(constraint) for space in spaces):
            path = draft.path("constraints", index)
            yield Fault(path, "names no parameter, so it holds always or never: take it out")


def check_room(coordinates: Coordinates, feasibility: Feasibility) -> Iterator[str]:
    """What to say of a space that constraints leave nothing, or next to nothing, of."""
    if feasibility.drawable >= SHARE_LIMIT:
        return
    messages = {item.name: item.message for item in coordinates.space.constraints}
    worst = [
        f"{name} forbids {share:.1%}" + (f" ({messages[name]})" if messages[name] else "")
        for name, share in list(feasibility.bites.items())[:3]
        if share > 0
    ]
    left = "nothing" if feasibility.drawable == 0 else f"{feasibility.drawable:.2%}"
    yield (
        f"leave {left} of the space to draw from (at least {SHARE_LIMIT:.1%} is needed); "
        f"most: {'; '.join(worst)}; loosen one or widen a range"
    )


def _way_back(name: str, needs: Mapping[str, set[str]]) -> tuple[str, ...] | None:
    """The shortest way from a name back to itself."""
    ways: list[tuple[str, ...]] = [(item,) for item in sorted(needs.get(name, ()))]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        if way[-1] == name:
            return way
        if way[-1] not in seen:
            seen.add(way[-1])
            ways.extend((*way, item) for item in sorted(needs.get(way[-1], ())))
    return None
