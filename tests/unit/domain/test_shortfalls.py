"""What finals did not show is said, and why."""

from dataclasses import replace

from kubetune.domain.finalists import Finalist, Finals, Repeat
from kubetune.domain.reasons import TrialReason
from kubetune.domain.shortfalls import sentence
from kubetune.domain.study import Finalists
from kubetune.domain.trial import Stage, TrialState
from tests.builders import make_outcome, make_study, make_trial

SPEC = make_study(finalists=Finalists(top=2, seeds=(1, 2), held_out_metric="test_accuracy"))
FIRST = Finalist(trial=make_trial(3, 0.9), values=(0.8, 0.9), score=0.85)
OTHER = Finalist(trial=make_trial(5, 0.8), values=(0.7,), failed=1, score=0.7)
SHOWN = make_trial(9, 0.8, stage=Stage.HELD_OUT, repeats=3, seed=1)
WHOLE = Finals(finalists=(FIRST, OTHER), winner=FIRST, held_out=SHOWN)


def test_nothing_is_said_of_finals_that_showed_all():
    """Nor of a study that wants none."""
    assert sentence(SPEC, WHOLE, ended=True) == ""
    assert sentence(make_study(), Finals(), ended=True) == ""


def test_finals_that_were_cut_off_say_how_far_they_came():
    """By a budget; while they go on nothing falls short."""
    missing = (Repeat(5, Stage.FINALIST, 2),)
    cut = Finals(finalists=(FIRST, replace(OTHER, failed=0)), missing=missing)
    assert sentence(SPEC, cut, ended=False) == ""
    assert sentence(SPEC, cut, ended=True) == "the finals are not over: 3 of 4 runs have ended"


def test_finals_that_nobody_won():
    """Every run failed."""
    lost = Finals(finalists=(Finalist(trial=make_trial(3, 0.9), failed=2),))
    said = "no run of the finals is Complete, so nobody has won them"
    assert sentence(SPEC, lost, ended=True) == said


def test_who_may_not_be_run_again_is_named_with_the_rule():
    """One is passed over; all are; many are."""
    one = replace(WHOLE, passed_over={4: ("short",)})
    text = "trial 4 is passed over: with finalists.fixed short would be broken"
    assert sentence(SPEC, one, ended=True) == text
    every = Finals(passed_over={number: ("short", "small")[: number or 1] for number in range(6)})
    assert sentence(SPEC, every, ended=True) == (
        "no finals are held: trials 0, 1, 2 and 3 more are passed over:"
        " with finalists.fixed short, small would be broken"
    )


def test_held_out_data_that_showed_nothing():
    """The run failed: the data are not opened again."""
    outcome = make_outcome(None, state=TrialState.FAILED, reason=TrialReason.METRICS_MISSING)
    failed = make_trial(9, outcome=outcome, stage=Stage.HELD_OUT, repeats=3, seed=1)
    assert sentence(SPEC, replace(WHOLE, held_out=failed), ended=True) == (
        "trial 9 was to show test_accuracy on held-out data and is MetricsMissing"
    )


def test_held_out_data_that_were_opened_for_another():
    """The study was enlarged, and has another winner since."""
    later = replace(WHOLE, winner=OTHER, held_out=None, opened=SHOWN)
    assert sentence(SPEC, later, ended=True) == (
        "the held-out data were opened for trial 3, which led before, and are not opened again"
        " for trial 5"
    )
