"""Trials on slots, from their times alone."""

import pytest

from kubetune.report.plots.slots import schedule, unit
from tests.builders import make_trial


def ran(number, start, end):
    return make_trial(number, 0.5, started_at=start, ended_at=end)


def test_a_trial_takes_the_lowest_free_slot():
    """The third begins when the first has ended, on its slot."""
    plan = schedule([ran(0, 100, 150), ran(1, 100, 200), ran(2, 150, 180), ran(3, 160, 170)])
    assert [(span.trial.number, span.slot) for span in plan.spans] == [
        *((0, 0), (1, 1), (2, 0), (3, 2))
    ]
    assert (plan.slots, plan.length, plan.spans[2].start) == (3, 100, 50)


def test_a_running_trial_lasts_until_now_as_far_as_it_is_known():
    """The report has no clock: the last known time is its end."""
    plan = schedule([ran(0, 0, 100), make_trial(1, started_at=40.0)])
    assert (plan.spans[1].start, plan.spans[1].end) == (40, 100)


def test_trials_that_never_ran_have_no_place():
    """Imported results and trials that wait are left out."""
    assert schedule([make_trial(0), make_trial(1, 0.5, started_at=None)]).spans == ()


def test_a_night_between_two_runs_is_cut_out():
    """What follows moves up, and the pause is noted with its length."""
    plan = schedule([ran(0, 0, 100), ran(1, 10_100, 10_200)])
    assert plan.length == pytest.approx(204)
    assert plan.spans[1].start == pytest.approx(104)
    ((place, seconds),) = plan.pauses
    assert (100 < place < 104, seconds) == (True, 10_000)


def test_a_short_wait_stays():
    """Between two trials of one slot there is always some."""
    plan = schedule([ran(0, 0, 100), ran(1, 105, 200)])
    assert (plan.length, plan.pauses) == (200, ())


@pytest.mark.parametrize(
    ("seconds", "name"),
    [(30, "seconds"), (600, "minutes"), (20_000, "hours"), (1e6, "days"), (0.5, "seconds")],
)
def test_a_unit_that_fits(seconds, name):
    """At least three of it."""
    assert unit(seconds)[1] == name
