"""Ranking: the best trial, the Pareto front, and how a trial compares."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetune.domain import ranking
from kubetune.domain.limits import LIST_LIMIT
from kubetune.domain.ranking import Standing
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import Direction, Objective
from kubetune.domain.trial import TrialState
from tests.builders import ACCURACY, make_outcome, make_study, make_trial

SIZE = Objective(metric="size", direction=Direction.MINIMIZE)
COST = Objective(metric="cost", direction=Direction.MINIMIZE)
SPEC = make_study()
LOSS_SPEC = make_study(objectives=(COST,))


def make_front_trial(number, *values):
    return make_trial(number, outcome=make_outcome(values=values))


def numbers(trials):
    return [trial.number for trial in trials]


def test_the_best_follows_the_direction():
    """The highest value wins under Maximize, the lowest under Minimize."""
    trials = [make_trial(0, 0.2), make_trial(1, 0.9), make_trial(2, 0.5)]
    best, lowest = ranking.best(SPEC, trials), ranking.best(LOSS_SPEC, trials)
    assert best
    assert lowest
    assert (best.number, lowest.number) == (1, 0)


def test_a_tie_goes_to_the_lower_number():
    """Of equal values the earlier trial is the best, in whatever order they come."""
    best = ranking.best(SPEC, [make_trial(2, 0.9), make_trial(1, 0.9)])
    assert best
    assert best.number == 1


@pytest.mark.parametrize("state", [TrialState.INFEASIBLE, TrialState.PRUNED, TrialState.FAILED])
def test_only_complete_feasible_trials_count(state):
    """A trial that broke a limit is never the best, whatever its value."""
    other = make_trial(1, outcome=make_outcome(9.0, state=state, reason=TrialReason.NONE))
    assert ranking.best(SPEC, [other, make_trial(2)]) is None


def test_there_is_no_single_best_of_several_objectives():
    """Several objectives have a front, one objective has a best: never both."""
    several = make_study(objectives=(ACCURACY, SIZE))
    trials = [make_front_trial(0, 0.5, 1.0)]
    assert ranking.best(several, trials) is None
    assert ranking.pareto_front(SPEC, [make_trial(0, 0.5)]) == ()


def test_the_front_holds_what_nothing_beats():
    """Dominated trials are left out; the first objective's best comes first."""
    spec = make_study(objectives=(ACCURACY, SIZE))
    trials = [
        make_front_trial(0, 0.5, 1.0),
        make_front_trial(1, 0.9, 5.0),
        make_front_trial(2, 0.5, 2.0),
        make_front_trial(3, 0.7, 3.0),
    ]
    assert numbers(ranking.pareto_front(spec, trials)) == [1, 3, 0]


def test_a_large_front_keeps_its_ends_and_the_roomy_ones():
    """Of a front above the limit the crowded middle goes first."""
    spec = make_study(objectives=(COST, SIZE))
    crowd = [make_front_trial(n, 50 + n / 100, 50 - n / 100) for n in range(30)]
    ends = [make_front_trial(98, 0.0, 100.0), make_front_trial(99, 100.0, 0.0)]
    front = numbers(ranking.pareto_front(spec, [*crowd, *ends]))
    assert len(front) == LIST_LIMIT
    assert {98, 99} < set(front)


@given(
    st.lists(
        st.tuples(*[st.integers(0, 6).map(float)] * 3),
        min_size=1,
        max_size=25,
    )
)
def test_the_front_is_what_the_definition_says(rows):
    """Sorting first changes nothing: the front equals the pairwise definition."""
    spec = make_study(objectives=(COST, SIZE, ACCURACY))
    trials = [make_front_trial(n, *row) for n, row in enumerate(rows)]

    def beats(a, b):
        return a != b and a[0] <= b[0] and a[1] <= b[1] and a[2] >= b[2]

    expected = {n for n, row in enumerate(rows) if not any(beats(other, row) for other in rows)}
    front = set(numbers(ranking.pareto_front(spec, trials)))
    assert front <= expected
    assert len(front) == min(len(expected), LIST_LIMIT)


@pytest.mark.parametrize(
    ("spec", "value", "baseline", "expected"),
    [
        (SPEC, 0.6, 0.5, 0.2),
        (SPEC, 0.4, 0.5, -0.2),
        (LOSS_SPEC, 0.4, 0.5, 0.2),
        (SPEC, -0.4, -0.5, 0.2),
        (LOSS_SPEC, -1.0, 0.0, 1.0),
    ],
)
def test_improvement_is_a_share_of_the_baselines_size(spec, value, baseline, expected):
    """Better is positive in either direction; a baseline of 0 gives the plain difference."""
    assert ranking.improvement(spec, value, baseline) == pytest.approx(expected)


BASELINE = make_trial(0, 0.5, baseline=True)
LEADER = make_trial(1, 0.8)


@pytest.mark.parametrize(
    ("trial", "before", "expected"),
    [
        (make_trial(2, 0.9), (BASELINE, LEADER), Standing.BEST),
        (make_trial(2, 0.8), (BASELINE, LEADER), Standing.IMPROVED),
        (make_trial(2, 0.4), (BASELINE, LEADER), Standing.WORSE),
        (make_trial(2, 0.5), (BASELINE, LEADER), Standing.NONE),
        (make_trial(2, 0.4), (LEADER,), Standing.NONE),
        (make_trial(0, 0.4), (), Standing.BEST),
        (make_trial(2), (BASELINE,), Standing.NONE),
        (
            make_trial(2, outcome=make_outcome(0.9, state=TrialState.INFEASIBLE)),
            (BASELINE,),
            Standing.NONE,
        ),
    ],
)
def test_standing_compares_with_all_before_then_with_the_baseline(trial, before, expected):
    """BEST beats every trial before; else the baseline decides; else nothing is said."""
    assert ranking.standing(SPEC, trial, before) is expected


def test_several_objectives_have_no_standing():
    """A point of a front is neither better nor worse than the baseline."""
    spec = make_study(objectives=(ACCURACY, SIZE))
    assert ranking.standing(spec, make_front_trial(1, 0.9, 1.0), ()) is Standing.NONE
