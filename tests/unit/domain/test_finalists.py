"""The best configurations are run again, ranked by those runs alone, and the winner once more."""

from dataclasses import replace

import pytest

from kubetune.domain import finalists
from kubetune.domain.finalists import Repeat
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import Direction, Finalists, Objective, RankBy
from kubetune.domain.trial import Stage, TrialState
from tests.builders import make_outcome, make_study, make_trial


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


def test_after_more_trials_those_who_still_lead_are_not_run_again():
    """Who is new among the best is run with every seed, and all are ranked anew."""
    before = [*SEARCH, *runs(1, 0.7, 0.8, 0.9), *runs(2, 0.6, 0.6, 0.6)]
    found = finalists.finals(study(), [*before, make_trial(200, 0.95)])
    assert found.missing == tuple(Repeat(200, Stage.FINALIST, seed) for seed in (1, 2, 3))
    assert {each.trial.number: each.values for each in found.finalists} == {
        200: (),
        1: (0.7, 0.8, 0.9),
    }


def test_the_held_out_data_are_not_opened_again_for_a_later_winner():
    """A figure that many winners were shown is none of data that nothing has seen."""
    spec = study(top=1, held_out_metric="test_accuracy")
    shown = run(1, 1, 0.8, stage=Stage.HELD_OUT)
    before = [*SEARCH, *runs(1, 0.7, 0.8, 0.9), shown]
    later = make_trial(200, 0.95)
    assert finalists.finals(spec, [*before, later]).missing[0].stage is Stage.FINALIST
    found = finalists.finals(spec, [*before, later, *runs(200, 0.9, 0.9, 0.9)])
    assert found.winner.trial == later
    assert (found.missing, found.held_out, found.opened, found.over) == ((), None, shown, True)


def test_a_run_for_who_led_before_is_waited_for():
    """The study was enlarged while it went on."""
    shown = run(1, 1, stage=Stage.HELD_OUT)
    later = make_trial(200, 0.95)
    spec = study(top=1, held_out_metric="test_accuracy")
    trials = [*SEARCH, *runs(1, 0.7, 0.8, 0.9), shown, later, *runs(200, 0.9, 0.9, 0.9)]
    assert not finalists.finals(spec, trials).over


@pytest.mark.parametrize("stage", [Stage.FINALIST, Stage.HELD_OUT])
def test_a_run_that_was_cancelled_is_made_again(stage):
    """It ended with the study's budget, not by itself; raising that goes on with the finals."""
    spec = study(top=1, held_out_metric="test_accuracy")
    outcome = make_outcome(None, state=TrialState.FAILED, reason=TrialReason.CANCELLED)
    trials = [*SEARCH, *runs(1, 0.7, 0.8, 0.9)]
    if stage is Stage.FINALIST:
        trials = trials[:-1]
    seed = 3 if stage is Stage.FINALIST else 1
    cut = make_trial(50, outcome=outcome, stage=stage, repeats=1, seed=seed)
    found = finalists.finals(spec, [*trials, cut])
    assert found.missing == (Repeat(1, stage, seed),)
    assert [each.failed for each in found.finalists] == [0]
    assert finalists.run_of([*trials, cut], 1, stage, seed) is None


def test_runs_with_other_values_after_an_out_of_memory_are_counted():
    """The rules make them the same configuration; the table says how many there were."""
    trials = [*SEARCH, *runs(1, 0.7, 0.8), replace(run(1, 3, 0.9), out_of_memory=1)]
    found = finalists.finals(study(top=1), trials).winner
    assert (found.values, found.failed, found.adjusted) == ((0.7, 0.8, 0.9), 0, 1)
