"""Rules of the feasible share."""

import pytest

from kubetune.domain.coordinates import Coordinates
from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.feasibility import feasible_share, spread
from kubetune.domain.space import Constraint, Double, Space

X = Double(name="x", low=0.0, high=1.0)
Y = Double(name="y", low=0.0, high=1.0)
SCOPE = {"x": Kind.DOUBLE, "y": Kind.DOUBLE}


def share(*texts: str):
    constraints = tuple(
        Constraint(name=text, forbid=compile_expression(text, SCOPE)) for text in texts
    )
    return feasible_share(Coordinates(Space(parameters=(X, Y), constraints=constraints)))


def test_the_share_is_the_volume_left():
    """A quarter forbidden leaves three quarters, within the estimate's error."""
    assert share("x > 0.5 && y > 0.5").share == pytest.approx(0.75, abs=0.03)


def test_clauses_that_bite_most_come_first():
    """The constraints are listed by what they forbid."""
    assert list(share("x > 0.9", "y > 0.5").bites) == ["y > 0.5", "x > 0.9"]


def test_an_empty_space_has_no_drawable_point():
    """Where everything is forbidden nothing can be constructed either."""
    assert share("x >= 0.0").drawable == 0.0


def test_a_thin_space_is_still_drawable():
    """A clause that bounds one parameter costs no draws, however much it forbids."""
    found = share("x > 0.001")
    assert found.share < 0.01
    assert found.drawable == 1.0


def test_without_hard_constraints_everything_is_feasible():
    """No constraint, no question."""
    assert share().share == 1.0


def test_the_points_are_evenly_spread():
    """Every tenth of every dimension gets its tenth of the points."""
    points = list(spread(3, 1000))
    for dimension in range(3):
        counts = [0] * 10
        for point in points:
            counts[int(point[dimension] * 10)] += 1
        assert max(counts) - min(counts) <= 10
