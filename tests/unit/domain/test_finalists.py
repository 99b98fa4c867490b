"""The best configurations are run again, ranked by those runs alone, and the winner once more."""

from dataclasses import replace

import pytest

from kubetune.domain import finalists
from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.finalists import Repeat
from kubetune.domain.reasons import TrialReason
from kubetune.domain.space import Constraint, Derived, Double, Space
from kubetune.domain.study import Direction, Finalists, Objective, RankBy
from kubetune.domain.trial import Stage, TrialState
from tests.builders import make_outcome, make_study, make_trial

NUMBERS = {"x": Kind.DOUBLE, "epochs": Kind.INT}


def study(**changes):
    asked = {"top": 2, "seeds": (1, 2, 3), **changes}
    return make_study(finalists=Finalists(**asked))


SEARCH = [make_trial(number, value) for number, value in enumerate((0.5, 0.9, 0.8, 0.7))]


def run(of, seed, value=None, *, stage=Stage.FINALIST, failed=False):
    """A finalist's run; still running without a value."""
    number = 10 * of + seed + (100 if stage is Stage.HELD_OUT else 10)
    outcome = (
        make_outcome(None, state=TrialState.FAILED, reason=TrialReason.CRASHED) if failed else None
    )
    return make_trial(number, value, outcome=outcome, stage=stage, repeats=of, seed=seed)


def runs(of, *values):
    return [run(of, seed, value) for seed, value in enumerate(values, start=1)]


def test_a_study_that_names_none_has_no_finals():
    """It is over with its search."""
    assert finalists.finals(make_study(), SEARCH).over


def test_the_leaders_are_run_with_every_seed():
    """The best first; those that exist are not made again."""
    found = finalists.finals(study(), [*SEARCH, run(1, 1, 0.9)])
    assert found.missing == tuple(
        Repeat(of, Stage.FINALIST, seed) for of, seed in ((1, 2), (1, 3), (2, 1), (2, 2), (2, 3))
    )
    assert not found.over


def test_they_are_ranked_by_their_runs_alone():
    """The search's leader may lose; what the search saw of it does not count again."""
    found = finalists.finals(study(), [*SEARCH, *runs(1, 0.7, 0.8, 0.6), *runs(2, 0.8, 0.8, 0.8)])
    assert [each.trial.number for each in found.finalists] == [2, 1]
    assert found.winner is found.finalists[0]
    assert found.over


@pytest.mark.parametrize(
    ("rank_by", "direction", "winner"),
    [
        (RankBy.MEAN, Direction.MAXIMIZE, 1),
        (RankBy.MEDIAN, Direction.MAXIMIZE, 2),
        (RankBy.WORST, Direction.MAXIMIZE, 2),
        (RankBy.WORST, Direction.MINIMIZE, 2),
    ],
)
def test_one_number_for_several_seeds(rank_by, direction, winner):
    """The mean, the median, or the worst in the objective's direction."""
    spec = replace(
        study(rank_by=rank_by), objectives=(Objective(metric="accuracy", direction=direction),)
    )
    search = [make_trial(1, 0.5), make_trial(2, 0.5)]
    found = finalists.finals(spec, [*search, *runs(1, 0.5, 0.5, 0.99), *runs(2, 0.6, 0.6, 0.6)])
    assert found.winner.trial.number == winner


def test_the_interval_is_student_s():
    """95 per cent, over the runs of one configuration: 0.8 +- 4.303 * 0.1 / sqrt(3)."""
    found = finalists.finals(study(top=1), [*SEARCH, *runs(1, 0.7, 0.8, 0.9)]).winner
    assert (found.low, found.high) == pytest.approx((0.5516, 1.0484), abs=1e-4)
    alone = finalists.finals(study(top=1, seeds=(1,)), [*SEARCH, *runs(1, 0.7)]).winner
    assert (alone.score, alone.low, alone.high) == (0.7, None, None)


def test_one_that_failed_ranks_behind_those_that_did_not():
    """However good its other runs were."""
    trials = [*SEARCH, *runs(1, 0.99, 0.99), run(1, 3, failed=True), *runs(2, 0.5, 0.5, 0.5)]
    found = finalists.finals(study(), trials)
    assert [each.trial.number for each in found.finalists] == [2, 1]
    assert found.finalists[1].failed == 1


def test_without_a_complete_run_there_is_no_winner():
    """The finals are over all the same."""
    trials = [*SEARCH, *(run(of, seed, failed=True) for of in (1, 2) for seed in (1, 2, 3))]
    found = finalists.finals(study(held_out_metric="test_accuracy"), trials)
    assert (found.winner, found.over) == (None, True)


def test_the_held_out_data_are_opened_once_by_the_winner():
    """After all runs, with the first seed; the finals are over when that run is."""
    spec = study(top=1, held_out_metric="test_accuracy")
    trials = [*SEARCH, *runs(1, 0.7, 0.8, 0.9)]
    assert finalists.finals(spec, trials[:-1]).held_out is None
    found = finalists.finals(spec, trials)
    assert found.missing == (Repeat(1, Stage.HELD_OUT, 1),)
    runs_now = run(1, 1, stage=Stage.HELD_OUT)
    found = finalists.finals(spec, [*trials, runs_now])
    assert (found.missing, found.held_out, found.over) == ((), runs_now, False)
    done = run(1, 1, 0.8, stage=Stage.HELD_OUT)
    assert finalists.finals(spec, [*trials, done]).over


def test_a_finalist_may_train_longer():
    """`fixed` replaces values, and what is derived from them follows."""
    steps = Derived("steps", compile_expression("epochs * 10", NUMBERS, (Kind.INT,)))
    space = Space(
        parameters=(Double(name="x", low=0.0, high=1.0),), derived=(steps,), fixed={"epochs": 3}
    )
    spec = replace(study(fixed={"epochs": 20}), space=space)
    trial = replace(SEARCH[1], parameters={"x": 0.5, "epochs": 3, "steps": 30})
    assert finalists.parameters(spec, trial) == {"x": 0.5, "epochs": 20, "steps": 200}


def test_what_a_constraint_forbids_then_is_no_finalist():
    """The next best takes its place."""
    rule = Constraint(
        name="short", forbid=compile_expression("x > 0.6 && epochs > 5", NUMBERS, (Kind.BOOL,))
    )
    space = Space(
        parameters=(Double(name="x", low=0.0, high=1.0),), fixed={"epochs": 3}, constraints=(rule,)
    )
    spec = replace(study(top=1, fixed={"epochs": 20}), space=space)
    trials = [
        replace(trial, parameters={"x": x, "epochs": 3})
        for trial, x in zip(SEARCH, (0.1, 0.7, 0.2, 0.3), strict=True)
    ]
    assert [trial.number for trial in finalists.candidates(spec, trials)] == [2]
