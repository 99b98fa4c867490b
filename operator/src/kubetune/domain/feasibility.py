"""How much of a space its hard constraints leave, and which of them bite most.

Estimated at the points of an additive recurrence (the R sequence of M. Roberts, a generalisation
of the golden ratio to d dimensions): evenly spread, and the same at every call.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from kubetune.domain.coordinates import Coordinates, Repair


@dataclass(frozen=True, slots=True)
class Feasibility:
    """`share`: feasible part of the space as written, constraints not built in.

    `drawable`: share of constructed candidates that may be launched; 1 when every hard constraint
    bounds one parameter given the others. `bites`: share of the space that each hard constraint
    forbids, largest first.
    """

    share: float
    drawable: float
    bites: Mapping[str, float]


def feasible_share(coordinates: Coordinates, samples: int = 400) -> Feasibility:
    """Estimates the feasible share of a space.

    The standard error is at most 0.5 / sqrt(samples); `drawable` rests on a quarter of them.
    """
    hard = [item.name for item in coordinates.space.constraints if item.hard]
    if not hard:
        return Feasibility(1.0, 1.0, {})
    counts = dict.fromkeys(hard, 0)
    feasible = drawable = 0
    constructed = max(samples // 4, 1)
    for index, units in enumerate(spread(len(coordinates.axes), samples)):
        pairs = zip(coordinates.axes, units, strict=True)
        point = {axis.name: axis.at(unit) for axis, unit in pairs}
        broken = coordinates.candidate(point, Repair.NONE).broken
        feasible += not broken
        for name in broken:
            counts[name] += 1
        if index < constructed:
            drawable += not broken or not coordinates.candidate(point).broken
    bites = {name: counts[name] / samples for name in sorted(hard, key=lambda name: -counts[name])}
    return Feasibility(feasible / samples, drawable / constructed, bites)


def spread(dimensions: int, samples: int) -> Iterator[tuple[float, ...]]:
    """Evenly spread points of the unit cube."""
    root = 2.0
    for _ in range(32):  # the positive root of x^(d+1) = x + 1
        root = (1.0 + root) ** (1.0 / (dimensions + 1))
    steps = [root ** -(index + 1) for index in range(dimensions)]
    for sample in range(samples):
        yield tuple((0.5 + step * (sample + 1)) % 1.0 for step in steps)
