"""One draw: proposals are taken in turn until one may be launched."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kubetune.domain.coordinates import Candidate, Coordinates, Point, Repair

LIMIT = 10_000
"""After so many proposals turned down in a row there is nothing to be found."""

SOFT_LIMIT = 200
"""After so many, soft constraints no longer count for this draw: they never end a study."""


class NoFeasibleDraw(Exception):  # noqa: N818 - named by what it tells
    """Every proposal was turned down; `rejected` counts them by constraint."""

    def __init__(self, rejected: Mapping[str, int]) -> None:
        self.rejected = dict(rejected)
        worst = sorted(rejected.items(), key=lambda item: (-item[1], item[0]))[:3]
        named = ", ".join(f"{name} ({count})" for name, count in worst)
        super().__init__(f"{LIMIT} draws in a row were turned down, most by: {named}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """A candidate that may be launched, and what was turned down on the way to it.

    `rejected` counts, by constraint, the proposals that it forbade: drawn again or, where it bounds
    one parameter given the others, moved to what it allows.
    """

    candidate: Candidate
    rejected: Mapping[str, int]
    proposals: int

    @property
    def rejections(self) -> int:
        """How many proposals were turned down; one may have broken several constraints."""
        return self.proposals - 1 + bool(self.candidate.moved)


def draw(
    coordinates: Coordinates,
    propose: Callable[[int], Point | None],
    coin: Callable[[str], float],
    repair: Repair = Repair.NEAREST,
) -> Draw | None:
    """Takes proposals until one breaks no hard constraint and passes the soft ones it matches.

    `propose` is given the attempt, from 0, and returns None when it has nothing more to propose;
    then there is no draw. `coin` gives a number in [0, 1) for a soft constraint's name; a
    candidate that matches the constraint is kept when the number is below its acceptance
    probability. A coin tossed once a draw makes matching trials exactly so much rarer, whatever
    the sampler insists on.

    Raises:
        NoFeasibleDraw: LIMIT proposals were turned down.
    """
    probability = {item.name: item.accept_probability for item in coordinates.space.constraints}
    rejected: dict[str, int] = {}
    for attempt in range(LIMIT):
        point = propose(attempt)
        if point is None:
            return None
        candidate = coordinates.candidate(point, repair)
        turned_down = candidate.broken
        if not turned_down and attempt < SOFT_LIMIT:
            turned_down = tuple(name for name in candidate.soft if coin(name) >= probability[name])
        for name in dict.fromkeys((*candidate.moved, *turned_down)):
            rejected[name] = rejected.get(name, 0) + 1
        if not turned_down:
            return Draw(candidate=candidate, rejected=rejected, proposals=attempt + 1)
    raise NoFeasibleDraw(rejected)
