"""How a trial's record changes."""

from hypothesis import given
from hypothesis import strategies as st

from kubetune.domain import transitions
from kubetune.domain.trial import Point
from tests.builders import make_trial

TRIAL = make_trial(0, curve=(Point(1, {"train": 0.5}),))


def test_a_metric_that_comes_later_to_its_step_joins_it() -> None:
    """Evaluation after training of one epoch is news, whenever the scrape fell."""
    points = [Point(1, {"train": 0.5, "eval": 2.0})]
    fresh = transitions.new_points(TRIAL, points)
    assert fresh == (Point(1, {"train": 0.5, "eval": 2.0}),)
    assert transitions.extended(TRIAL, fresh).curve == fresh


def test_a_value_that_a_step_has_stays() -> None:
    """The first value of a step is the one that was judged."""
    assert transitions.new_points(TRIAL, [Point(1, {"train": 0.9})]) == ()
    joined = transitions.joined((Point(1, {"a": 1.0}), Point(1, {"a": 2.0, "b": 3.0})))
    assert joined == (Point(1, {"a": 1.0, "b": 3.0}),)


@given(
    st.lists(st.tuples(st.integers(0, 6), st.sampled_from("ab"), st.integers(0, 9)), max_size=8),
    st.lists(st.tuples(st.integers(0, 6), st.sampled_from("ab"), st.integers(0, 9)), max_size=8),
)
def test_points_in_any_order_make_one_curve(before: list, after: list) -> None:
    """However they come, a step stands once, in its place, and what came first stays."""

    def points(entries: list) -> list[Point]:
        return [Point(step, {name: value}) for step, name, value in entries]

    trial = make_trial(0)
    for entries in (before, after):
        trial = transitions.extended(trial, transitions.new_points(trial, points(entries)))
    assert trial.curve == transitions.joined(points([*before, *after]))
    assert transitions.new_points(trial, points([*after, *before])) == ()
