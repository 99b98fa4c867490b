"""Successive halving: rungs, brackets, and who goes on."""

import math

import pytest

from kubetune.domain.pruners import rungs
from kubetune.domain.study import Direction, Objective, Pruner, PrunerAlgorithm, Summary
from tests.builders import make_field, make_points, make_study, make_trial


def asha(spec, trial, peers):
    """The verdict of one bracket."""
    return rungs.asha(spec, trial, make_field(spec, trial, peers))


def hyperband(spec, trial, peers):
    """The verdict of several."""
    return rungs.hyperband(spec, trial, make_field(spec, trial, peers))


def make_pruner(low=1.0, high=27.0, factor=3):
    return Pruner(
        algorithm=PrunerAlgorithm.ASHA,
        min_resource=low,
        max_resource=high,
        reduction_factor=factor,
    )


def make_spec(direction=Direction.MAXIMIZE, summary=Summary.BEST):
    objective = Objective(metric="accuracy", direction=direction, summary=summary)
    return make_study(objectives=(objective,), pruner=make_pruner())


def make_peers(*values):
    return [make_trial(10 + n, curve=make_points(value)) for n, value in enumerate(values)]


@pytest.mark.parametrize(
    ("low", "until", "factor", "expected"),
    [
        (1, 27, 3, [1, 3, 9, 27]),
        (1, 26.9, 3, [1, 3, 9]),
        (0.25, 1, 2, [0.25, 0.5, 1]),
        (5, 4, 2, []),
        (0, 4, 2, []),
        (0.1, 0.3, 3, [0.1, pytest.approx(0.3)]),
        (0.1, 0.7 + 0.1, 2, [0.1, 0.2, 0.4, pytest.approx(0.8)]),
    ],
)
def test_rungs_grow_by_the_factor(low, until, factor, expected):
    """Rungs are min_resource * factor^k; a nonsensical minimum has none and never loops."""
    assert rungs.rung_steps(make_pruner(low, None, factor), until) == expected


@pytest.mark.parametrize("last", [0.8, 0.7 + 0.1, 0.8 + 1e-12])
def test_a_step_that_misses_a_rung_by_rounding_has_reached_it(last):
    """Epochs are counted in tenths, and tenths are no binary numbers."""
    spec = make_study(pruner=make_pruner(0.1, 10.0, 2))
    trial = make_trial(1, curve=make_points(0.5, start=last))
    peers = [make_trial(2, curve=make_points(0.6, start=0.8))]
    message = asha(spec, trial, peers)
    assert message == "value 0.5 at step 0.8 is not within the best 1 of 2 (needs >= 0.6)"


@pytest.mark.parametrize(
    ("value", "peers", "goes_on"),
    [
        (0.5, [], True),
        (0.5, [0.4], True),
        (0.5, [0.6], False),
        (0.5, [0.5], True),
        (0.5, [0.6, 0.1, 0.2, 0.3, 0.4], True),
        (0.5, [0.6, 0.1, 0.2, 0.3], False),
        (0.5, [0.6, 0.7, 0.2, 0.3, 0.4], False),
    ],
)
def test_the_best_share_goes_on(value, peers, goes_on):
    """1 of 1 to 5, 2 of 6 to 8: equal values go on together."""
    trial = make_trial(1, curve=make_points(value))
    assert (asha(make_spec(), trial, make_peers(*peers)) is None) is goes_on


def test_the_message_says_how_far_off():
    """The sentence names the value, the rung, the share and the value that was needed."""
    trial = make_trial(1, curve=make_points(0.81, start=4))
    peers = [
        make_trial(10 + n, curve=make_points(value, start=4))
        for n, value in enumerate([0.7, 0.71, 0.72, 0.9, 0.9, 0.9, 0.9, 0.9])
    ]
    assert asha(make_spec(Direction.MINIMIZE), trial, peers) == (
        "value 0.81 at step 3 is not within the best 3 of 9 (needs <= 0.72)"
    )


def test_the_value_at_a_rung_stays_what_it_was():
    """A later improvement does not rewrite the rung; the next rung will see it."""
    trial = make_trial(1, curve=make_points(0.1, 0.99))
    assert asha(make_spec(), trial, make_peers(0.5))


def test_the_summary_decides_the_value_at_a_rung():
    """Best looks back over the curve, Last takes the report at the rung."""
    trial = make_trial(1, curve=make_points(0.9, 0.9, 0.1))
    peers = [make_trial(2, curve=make_points(0.5, 0.5, 0.5))]
    assert asha(make_spec(summary=Summary.BEST), trial, peers) is None
    assert asha(make_spec(summary=Summary.LAST), trial, peers)


def test_a_rung_that_was_skipped_counts_by_the_next_report():
    """Reports at steps 2 and 5 stand for rungs 1 and 3."""
    peer = make_trial(2, curve=make_points(0.5, start=5))
    assert asha(make_spec(), make_trial(1, curve=make_points(0.4, start=4)), [peer])


def test_later_arrivals_push_a_trial_out():
    """A trial that was the first at its rung is cut once it is not within the best share."""
    trial = make_trial(1, curve=make_points(0.5, 0.5))
    assert asha(make_spec(), trial, []) is None
    assert asha(make_spec(), trial, make_peers(0.9))


def test_a_non_finite_value_is_no_value():
    """NaN at the rung cuts the trial, whatever the others are."""
    trial = make_trial(1, curve=make_points(math.nan))
    message = asha(make_spec(), trial, [])
    assert message
    assert "not a number" in message


def test_brackets_share_trials_as_the_paper_does():
    """R = 27, factor 3: four brackets, the eager one first; no maximum, no brackets."""
    assert rungs.brackets(make_pruner(1, 27, 3)) == (27, 12, 6, 4)
    assert rungs.brackets(make_pruner(1, None, 3)) == (1,)


def test_brackets_are_stable_and_all_used():
    """The bracket is a function of study name and number, and none stays empty."""
    budgets = rungs.brackets(make_pruner())
    found = [rungs.bracket_of("study", number, budgets) for number in range(200)]
    assert found == [rungs.bracket_of("study", number, budgets) for number in range(200)]
    assert set(found) == {0, 1, 2, 3}


def test_a_bracket_compares_its_own_trials_and_skips_low_rungs():
    """A trial of bracket 1 is not judged at rung 1, nor against trials of other brackets."""
    spec = make_spec()
    budgets = rungs.brackets(spec.pruner)
    by_bracket = {rungs.bracket_of(spec.name, n, budgets): n for n in range(99, -1, -1)}
    fellow = next(
        n for n in range(by_bracket[1] + 1, 999) if rungs.bracket_of(spec.name, n, budgets) == 1
    )

    def trial(number, *values):
        return make_trial(number, curve=make_points(*values))

    weak = trial(by_bracket[1], 0.1)
    assert hyperband(spec, weak, [trial(fellow, 0.9)]) is None
    weak = trial(by_bracket[1], 0.1, 0.1, 0.1)
    assert hyperband(spec, weak, [trial(by_bracket[0], 0.9, 0.9, 0.9)]) is None
    assert hyperband(spec, weak, [trial(fellow, 0.9, 0.9, 0.9)])
