"""The objective's curve, kept small."""

from math import inf, nan

from kubetune_trainer.curve import LIMIT, Curve, extremes, thinned


def test_short_curve_is_whole():
    """Up to the limit nothing is left out."""
    points = [(float(step), 1 / step) for step in range(1, LIMIT + 1)]
    assert Curve(points).points == tuple(points)


def test_long_curve_keeps_its_end_and_its_best():
    """A long curve keeps its last points, and the lowest and highest of all however early."""
    curve = Curve()
    for step in range(1, 1001):
        curve.add(step, {3: -5.0, 500: 9.0}.get(step, step / 1000))
    assert len(curve.points) == LIMIT
    assert curve.points[:2] == ((3, -5.0), (500, 9.0))
    assert [step for step, _ in curve.points[2:]] == list(range(939, 1001))


def test_second_value_of_a_step_replaces_the_first():
    """A step has one value."""
    curve = Curve([(1, 0.5)])
    curve.add(1, 0.6)
    assert curve.points == ((1, 0.6),)


def test_thinning_keeps_extremes_and_end():
    """Thinning never loses the best, the worst or the last point."""
    points = tuple((step, {2: 9.0, 4: -9.0}.get(step, 0.0)) for step in range(1, 10))
    assert [step for step, _ in thinned(points)] == [1, 2, 3, 4, 5, 7, 9]


def test_thinning_ends():
    """Thinned again and again, a curve comes down to at most three points and stays there."""
    points = tuple((step, float(step % 7)) for step in range(64))
    for _ in range(10):
        points = thinned(points)
    assert len(points) <= 3
    assert thinned(points) == points


def test_extremes_are_finite():
    """A NaN or an infinity is no extreme."""
    assert extremes([(1, nan), (2, 3.0), (3, inf)]) == ((2, 3.0),)
