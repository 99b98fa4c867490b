"""What a study has used of its time, and when that ends it."""

from dataclasses import replace

import pytest

from kubetune.domain import budget, stopping
from kubetune.domain.actions import StopRun
from kubetune.domain.draft import begin
from kubetune.domain.planner import plan
from kubetune.domain.reasons import StudyReason, TrialReason
from kubetune.domain.steps.look_where import look_where
from kubetune.domain.study import Budget, Finalists
from kubetune.domain.trial import Outcome, Stage, TrialState
from tests.builders import NOW, make_observation, make_run, make_study, make_trial
from tests.unit.domain.planned import planned

CANCELLED = Outcome(TrialState.FAILED, TrialReason.CANCELLED)
CRASHED = Outcome(TrialState.FAILED, TrialReason.CRASHED)


def study(gpu_hours=None, seconds=None, gpus=1, **changes):
    limits = Budget(gpu_hours=gpu_hours, wall_clock_seconds=seconds)
    return make_study(budget=limits, gpus=gpus, **changes)


def ran(number, start, end=None, value=0.5, **changes):
    """A trial that ran from `start` to `end`, in seconds before now; without an end it runs."""
    times = {"created_at": NOW - start, "started_at": NOW - start}
    if end is None:
        return make_trial(number, **(times | changes))
    return make_trial(number, value, **(times | {"ended_at": NOW - end} | changes))


def waiting(number, since):
    """A trial that was made and has not started."""
    return make_trial(number, created_at=NOW - since)


@pytest.mark.parametrize(
    ("gpus", "trials", "hours"),
    [
        (1, [], 0),
        (1, [ran(0, 7200, 3600)], 1),
        (4, [ran(0, 7200, 3600)], 4),
        (0, [ran(0, 7200, 3600)], 0),
        (1, [ran(0, 1800)], 0.5),
        (1, [ran(0, 7200, 3600), ran(1, 5400, 3600), ran(2, 1800)], 2),
        (1, [ran(0, 7200, 3600, outcome=CRASHED)], 1),
        (1, [waiting(0, 9000)], 0),
        (1, [make_trial(0, 0.5, started_at=None)], 0),
        (1, [ran(0, -60)], 0),
    ],
    ids=[
        "none",
        "one",
        "of several GPUs",
        "of none",
        "running",
        "added up",
        "failed",
        "waiting",
        "imported",
        "a clock set back",
    ],
)
def test_gpu_hours_are_those_that_trials_held(gpus, trials, hours):
    """From a trial's first start to its end, or until now, on every GPU of it."""
    assert budget.gpu_hours(study(gpus=gpus), trials, NOW) == pytest.approx(hours)


@pytest.mark.parametrize(
    ("trials", "seconds"),
    [([], 0), ([ran(0, 50, 20), waiting(1, 90)], 90), ([waiting(0, -5)], 0)],
    ids=["none", "since the first was made", "a clock set back"],
)
def test_the_clock_runs_from_the_first_trial(trials, seconds):
    """Pauses count as well."""
    assert budget.wall_clock_seconds(trials, NOW) == seconds


USUAL = [ran(0, 4000, 3400), ran(1, 3400, 2800), ran(2, 2800, 2200)]
"""Three trials of ten minutes each; half an hour is used, and 4,000 seconds."""


@pytest.mark.parametrize(
    ("limits", "trials", "fits"),
    [
        ({}, USUAL, True),
        ({"seconds": 4600}, USUAL, True),
        ({"seconds": 4599}, USUAL, False),
        ({"seconds": 4000}, USUAL, False),
        ({"seconds": 3200}, USUAL[1:], False),
        ({"seconds": 3401}, USUAL[1:], True),
        ({"gpu_hours": 0.67}, USUAL, True),
        ({"gpu_hours": 0.66}, USUAL, False),
        ({"gpu_hours": 0.92}, [*USUAL, ran(3, 600), ran(4, 0)], False),
        ({"gpu_hours": 1.01}, [*USUAL, ran(3, 600), ran(4, 0)], True),
        ({"gpu_hours": 0.67, "seconds": 4599}, USUAL, False),
        ({"seconds": 10}, [], True),
    ],
    ids=[
        "no limit",
        "just time for another",
        "a second too little",
        "used up",
        "used up, however long one takes",
        "nobody knows yet how long one takes",
        "just GPU time for another",
        "too little GPU time",
        "what runs will need its time too",
        "time for what runs and another",
        "each limit counts",
        "before the first",
    ],
)
def test_nothing_is_launched_that_could_not_finish(limits, trials, fits):
    """A trial takes what complete ones took, in the middle; running ones have half of it ahead."""
    assert budget.fits(study(**limits), trials, NOW) is fits


@pytest.mark.parametrize(
    ("limits", "trials", "message"),
    [
        ({"seconds": 4000}, [*USUAL, ran(3, 100)], "4000 of 4000 seconds are used"),
        ({"seconds": 4500}, [*USUAL, ran(3, 100)], None),
        (
            {"seconds": 4500},
            USUAL,
            "4000 of 4500 seconds are used, another trial would not finish",
        ),
        ({"seconds": 4600}, USUAL, None),
        ({"gpu_hours": 0.5}, [*USUAL, ran(3, 100)], "0.5278 of 0.5 GPU hours are used"),
        (
            {"gpu_hours": 0.6},
            USUAL,
            "0.5 of 0.6 GPU hours are used, another trial would not finish",
        ),
        ({"gpu_hours": 0.5, "gpus": 0}, USUAL, None),
        ({"seconds": 259200}, [ran(0, 300000)], "300000 of 259200 seconds are used"),
        ({"seconds": 1}, [], None),
    ],
    ids=[
        "at the limit while one runs",
        "before it while one runs",
        "before it, too late for another",
        "before it, in time for another",
        "GPU hours",
        "too few GPU hours for another",
        "no GPU, no GPU hours",
        "large figures are whole",
        "nothing has begun",
    ],
)
def test_a_study_ends_at_its_limit_with_the_figures(limits, trials, message):
    """What runs may finish before the limit, and is stopped at it."""
    end = budget.used_up(study(**limits), trials, NOW)
    assert (end and end.message) == message
    assert end is None or end.reason is StudyReason.BUDGET_EXHAUSTED


def test_time_used_up_is_a_success_with_a_complete_trial():
    """What was found in time is found."""
    for outcome, succeeded in ((None, True), (CRASHED, False)):
        end = budget.used_up(study(seconds=10), [ran(0, 60, 30, outcome=outcome)], NOW)
        assert end is not None
        assert end.succeeded is succeeded


@pytest.mark.parametrize(
    ("limits", "trials", "seconds"),
    [
        ({}, [ran(0, 100)], None),
        ({"seconds": 1000}, [ran(0, 100)], 900),
        ({"gpu_hours": 1}, [ran(0, 600), ran(1, 600)], 1200),
        ({"gpu_hours": 1, "gpus": 2}, [ran(0, 600)], 1200),
        ({"gpu_hours": 1}, [ran(0, 600, 300)], None),
        ({"gpu_hours": 1, "seconds": 700}, [ran(0, 600)], 100),
        ({"seconds": 50}, [ran(0, 100)], 0),
    ],
    ids=["no limit", "clock", "two trials", "two GPUs", "nothing runs", "the first", "past it"],
)
def test_the_next_look_is_when_the_first_limit_is_reached(limits, trials, seconds):
    """A pass is due then though nothing happens in the cluster."""
    found = budget.seconds_left(study(**limits), trials, NOW)
    assert found == (None if seconds is None else pytest.approx(seconds))


DAYS = 10 * 86400.0


def test_a_search_that_is_over_does_not_run_out_of_time_later():
    """Looked at again after days, a study has the end that it had."""
    spec = study(seconds=3600, max_trials=2)
    trials = [ran(0, 1000, 900), ran(1, 900, 800)]
    for now in (NOW, NOW + DAYS):
        end = stopping.decide(spec, trials, best=trials[0], now=now)
        assert end is not None
        assert end.reason is StudyReason.TRIALS_EXHAUSTED


def test_a_search_that_ran_out_of_time_stays_so():
    """Its last trials were cancelled at the limit; that they have ended is not why it ended."""
    spec = study(seconds=1000, max_trials=2)
    trials = [ran(0, 1000, 900), ran(1, 900, 0, outcome=CANCELLED)]
    for now in (NOW, NOW + DAYS):
        end = stopping.decide(spec, trials, best=trials[0], now=now)
        assert end is not None
        assert end.reason is StudyReason.BUDGET_EXHAUSTED


def test_a_study_that_waits_runs_out_of_time():
    """Suspended in the middle, it has used its time as well."""
    spec = study(seconds=3600, max_trials=5)
    end = stopping.decide(spec, [ran(0, 1000, 900)], best=None, now=NOW + DAYS)
    assert end is not None
    assert end.reason is StudyReason.BUDGET_EXHAUSTED


def wanting_finals(top, seeds, **limits):
    """A study that wants so many runs once its search is over, and one on held-out data."""
    wanted = Finalists(top=top, seeds=tuple(range(seeds)), held_out_metric="test_accuracy")
    return study(finalists=wanted, max_trials=50, parallelism=2, **limits)


@pytest.mark.parametrize(
    ("spec", "fits"),
    [
        (wanting_finals(1, 2, gpu_hours=1.17), True),
        (wanting_finals(1, 2, gpu_hours=1.16), False),
        (wanting_finals(1, 2, seconds=5800), True),
        (wanting_finals(1, 2, seconds=5799), False),
        (wanting_finals(9, 9, gpu_hours=1.34), True),
        (wanting_finals(9, 9, gpu_hours=1.33), False),
    ],
    ids=["GPU time", "too little", "two rounds", "too little time", "half is the search's", "none"],
)
def test_a_search_leaves_time_for_its_finals(spec, fits):
    """A trial and three runs of ten minutes; at most half of the budget is kept for these."""
    assert budget.fits(spec, USUAL, NOW, keep=True) is fits
    assert budget.fits(spec, USUAL, NOW)


def test_a_search_that_ended_for_its_finals_stays_so():
    """While they run, when they were shorter than expected, and when they are over."""
    spec = wanting_finals(1, 2, gpu_hours=1.1)
    runs = [
        replace(ran(3 + seed, 100, 90, 0.6), stage=Stage.FINALIST, repeats=0, seed=seed)
        for seed in range(2)
    ]
    running = replace(ran(5, 50), stage=Stage.HELD_OUT, repeats=0, seed=0)
    for trials in (USUAL, [*USUAL, *runs[:1]], [*USUAL, *runs], [*USUAL, *runs, running]):
        end = stopping.decide(spec, trials, best=USUAL[0], now=NOW)
        assert end is not None
        assert end.reason is StudyReason.BUDGET_EXHAUSTED
        assert end.message.endswith("of 1.1 GPU hours are used, the rest is for the finals")
    assert budget.fits(spec, [*USUAL, *runs], NOW)


def finals(now, *runs):
    """A study whose search is over, with these runs of its finals."""
    spec = study(seconds=3600, max_trials=1, finalists=Finalists(top=1, seeds=(1,)))
    seen = make_observation(ran(0, 1000, 900), *runs, spec=spec, now=now)
    return look_where(begin(seen))


def test_the_finals_are_stopped_when_the_time_is_up():
    """The study then ends as its search did, and shows how far the finals came."""
    run = replace(ran(1, 800), stage=Stage.FINALIST, repeats=0, seed=1)
    assert finals(NOW, run).end is None
    late = finals(NOW + DAYS, run)
    assert late.end is not None
    assert late.end.reason is StudyReason.TRIALS_EXHAUSTED
    assert [each.running for each in late.finals.finalists] == [1]


def test_finals_that_are_over_stay_known():
    """Time that passes afterwards does not take the winner away."""
    run = replace(ran(1, 800, 700, 0.6), stage=Stage.FINALIST, repeats=0, seed=1)
    late = finals(NOW + DAYS, run)
    assert late.end is not None
    assert late.finals.winner is not None


def test_a_trial_in_its_first_attempt_is_stopped_at_the_limit():
    """Its start is stored with its end: until then its run tells of it."""
    trials = [make_trial(0, created_at=NOW - 7200), make_trial(1, created_at=NOW - 7200)]
    runs = tuple(make_run(number, started_at=NOW - 3600) for number in (0, 1))
    spec = study(gpu_hours=2)
    seen = make_observation(*trials, runs=runs, spec=spec)
    assert planned(seen, StopRun)
    assert not planned(replace(seen, now=NOW - 60), StopRun)
    assert plan(replace(seen, now=NOW - 60)).wake_after_seconds == pytest.approx(10)
    assert plan(replace(seen, now=NOW - 3)).wake_after_seconds == pytest.approx(3)
