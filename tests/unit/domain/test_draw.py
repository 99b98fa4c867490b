"""Rules of one draw."""

import pytest

from kubetune.domain import draw as drawing
from kubetune.domain.coordinates import Coordinates, Repair
from kubetune.domain.draw import NoFeasibleDraw, draw
from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.space import Constraint, Integer, Space


def space(accept_probability: float) -> Coordinates:
    rule = Constraint(
        name="big",
        forbid=compile_expression("layers > 4", {"layers": Kind.INT}),
        accept_probability=accept_probability,
    )
    layers = Integer(name="layers", low=1, high=8)
    return Coordinates(Space(parameters=(layers,), constraints=(rule,)))


def test_turned_down_proposals_are_counted_by_constraint():
    """A draw says what was turned down on the way, and how many proposals it took."""
    proposals = iter([{"layers": 8}, {"layers": 5}, {"layers": 2}])
    found = draw(space(0.0), lambda _: next(proposals), lambda _: 0.0, Repair.NONE)
    assert found is not None
    assert found.candidate.parameters == {"layers": 2}
    assert found.rejected == {"big": 2}
    assert (found.proposals, found.rejections) == (3, 2)


def test_a_moved_proposal_counts_as_turned_down():
    """What was proposed was forbidden and never launched, even if its neighbour was."""
    found = draw(space(0.0), lambda _: {"layers": 8}, lambda _: 0.0)
    assert found is not None
    assert found.candidate.parameters == {"layers": 4}
    assert found.rejected == {"big": 1}
    assert (found.proposals, found.rejections) == (1, 1)


@pytest.mark.parametrize(("coin", "layers"), [(0.2, 8), (0.3, 2), (0.9, 2)])
def test_a_soft_constraint_lets_through_below_its_probability(coin, layers):
    """The coin decides: below the acceptance probability the candidate is kept."""
    proposals = iter([{"layers": 8}, {"layers": 2}])
    found = draw(space(0.3), lambda _: next(proposals), lambda _: coin)
    assert found is not None
    assert found.candidate.parameters == {"layers": layers}


def test_a_soft_constraint_never_ends_a_draw(monkeypatch):
    """Where everything matches it, a soft constraint gives way in the end."""
    monkeypatch.setattr(drawing, "SOFT_LIMIT", 3)
    found = draw(space(0.3), lambda _: {"layers": 8}, lambda _: 0.9)
    assert found is not None
    assert found.rejected == {"big": 3}


def test_nothing_more_to_propose_is_no_draw():
    """An exhausted proposer ends the draw without a candidate."""
    assert draw(space(0.0), lambda _: None, lambda _: 0.0) is None


def test_a_draw_ends_after_the_limit(monkeypatch):
    """When every proposal is turned down the draw ends, and says by what."""
    monkeypatch.setattr(drawing, "LIMIT", 10)
    with pytest.raises(NoFeasibleDraw) as caught:
        draw(space(0.0), lambda _: {"layers": 8}, lambda _: 0.0, Repair.NONE)
    assert caught.value.rejected == {"big": 10}
