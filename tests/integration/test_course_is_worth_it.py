"""What a course of coarse, fine and finals brings, on trainings that are functions."""

from statistics import fmean

import pytest

from bench.course import TRIALS, course, measured, plain_tpe

SEEDS = 30

pytestmark = pytest.mark.timeout(600)


def test_a_course_finds_better_than_the_best_validation_trial() -> None:
    """At equal trial-steps, in the mean of 30 seeds, on held-out data; and it claims less too much.

    Better than the best trial of a plain TPE study, and than the best trial of its own search.
    """
    ours, plain = measured((course, plain_tpe), SEEDS)
    assert {each.steps for each in (*ours, *plain)} == {ours[0].steps}
    assert ours[0].steps % TRIALS == 0
    found = fmean(each.held_out for each in ours)
    assert found < fmean(each.held_out for each in plain)
    assert found < fmean(each.search for each in ours)
    too_much, plainly = (
        fmean(each.held_out - each.claimed for each in results) for results in (ours, plain)
    )
    assert too_much < plainly / 2
