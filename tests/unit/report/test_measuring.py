"""Importance: what decides, what chance gives, and when nothing can be said."""

import math
import random

import pytest

from kubetune.domain.reasons import TrialReason
from kubetune.domain.space import Choice, Double, Space
from kubetune.domain.study import Direction, Objective
from kubetune.domain.trial import Outcome, TrialState
from kubetune.report import importance
from kubetune.report.measuring import importances
from tests.builders import make_outcome, make_points, make_study, make_trial

SPACE = Space(
    parameters=(
        Double(name="rate", low=1e-4, high=1.0, log=True),
        Double(name="decay", low=0.0, high=0.1),
        Choice(name="kind", values=("a", "b", "c")),
    )
)
LOSS = Objective(metric="accuracy", direction=Direction.MINIMIZE)
SPEC = make_study(space=SPACE, objectives=(LOSS,))


def drawn(number, value, *, seed=2, **changes):
    """Trials drawn at random, each with what `value` makes of its parameters."""
    dice = random.Random(seed)
    found = []
    for index in range(number):
        these = {
            "rate": 10 ** dice.uniform(-4, 0),
            "decay": dice.uniform(0, 0.1),
            "kind": dice.choice("abc"),
        }
        answer = value(these)
        outcome = answer if isinstance(answer, Outcome) else make_outcome(answer)
        active = frozenset(these)
        found.append(make_trial(index, parameters=these, active=active, outcome=outcome, **changes))
    return found


def near(parameters):
    """Best at a rate of 0.01, whatever else."""
    return abs(math.log10(parameters["rate"]) + 2)


def test_the_parameter_that_decides():
    """It leads with nearly all of the variance, and where it is best is said; others are chance."""
    (one,) = importances(SPEC, drawn(80, near))
    assert one.parameters[0].name == "rate"
    assert one.parameters[0].share > 0.5
    assert [part.name for part in one.telling] == ["rate"]
    low, high = one.parameters[0].best
    assert low <= 0.01 <= high
    assert (low > 1e-3, high < 0.1) == (True, True)


def test_a_word_that_decides():
    """The best of a list are named."""
    (one,) = importances(SPEC, drawn(60, lambda these: float(these["kind"] != "b")))
    assert (one.parameters[0].name, one.parameters[0].best) == ("kind", ("b",))


def test_nothing_but_noise():
    """No parameter is called telling."""
    dice = random.Random(4)
    (one,) = importances(SPEC, drawn(60, lambda _: dice.random()))
    assert not one.sound
    assert one.telling == ()
    assert one.interactions == ()


def test_two_that_act_together():
    """The pair is named with its share."""

    def both(these):
        return float((these["rate"] > 0.01) == (these["decay"] > 0.05))

    (one,) = importances(SPEC, drawn(120, both))
    assert set(one.interactions[0].names) == {"rate", "decay"}
    assert one.interactions[0].share > 0.1


def test_few_trials_say_nothing():
    """One below the least is silence, and so are trials that are all alike."""
    assert importances(SPEC, drawn(importance.LEAST - 1, near)) == ()
    assert importances(SPEC, drawn(30, lambda _: 0.5)) == ()


def test_one_far_value_does_not_hide_the_rest():
    """A loss of 1e300 counts as bad, not as all that there is."""
    trials = drawn(60, lambda these: 1e300 if these["decay"] > 0.095 else near(these))
    (one,) = importances(SPEC, trials)
    assert one.parameters[0].name == "rate"


def failed(reason):
    return Outcome(TrialState.FAILED, reason)


def test_what_makes_trials_fail_matters():
    """Trials that diverge at high rates say that the rate matters, though none has a value."""
    trials = drawn(60, lambda these: failed(TrialReason.DIVERGED) if these["rate"] > 0.01 else 0.5)
    (one,) = importances(SPEC, trials)
    assert one.parameters[0].name == "rate"


def test_a_failure_that_is_nobody_s_fault_says_nothing():
    """A node that went away taught nothing of the rate."""
    trials = drawn(60, lambda these: failed(TrialReason.DISRUPTED) if these["rate"] > 0.01 else 0.5)
    assert importances(SPEC, trials) == ()


def test_trials_that_were_cut_count_by_how_far_they_came():
    """Where most were pruned, the order decides: longer is better."""
    cut = Outcome(TrialState.PRUNED, TrialReason.PRUNED)
    steps = iter(drawn(40, near))
    trials = []
    for trial in steps:
        length = 1 if trial.parameters["kind"] == "a" else 5
        curve = make_points(*[0.5] * length)
        changed = make_trial(
            trial.number,
            parameters=trial.parameters,
            active=trial.active,
            outcome=cut,
            curve=curve,
        )
        trials.append(changed)
    (one,) = importances(SPEC, trials)
    assert one.parameters[0].name == "kind"


def test_chance_drifts_along():
    """Where a parameter moved on as trials got better, its shadows did too, and chance is more."""

    def chance(order):
        trials = []
        for number, place in enumerate(order):
            these = {"rate": 0.1, "decay": 0.1 * place / 48, "kind": "abc"[number % 3]}
            value = 1 - 0.02 * number
            trials.append(make_trial(number, value, parameters=these, active=frozenset(these)))
        (one,) = importances(SPEC, trials)
        return one.chance

    anyhow = random.Random(7).sample(range(48), 48)
    assert chance(range(48)) > 3 * chance(anyhow)


def test_an_inactive_parameter_has_a_place_of_its_own():
    """Whether it is active may be all that matters of it."""
    dice = random.Random(1)
    trials = []
    for number in range(60):
        on = dice.random() < 0.5
        these = {"rate": 10 ** dice.uniform(-4, 0), "decay": 0.05, "kind": "a"}
        active = frozenset(these if on else {"rate", "kind"})
        trials.append(make_trial(number, 0.1 if on else 0.9, parameters=these, active=active))
    (one,) = importances(SPEC, trials)
    assert one.parameters[0].name == "decay"


@pytest.mark.parametrize("value", [5.0, 1e-9])
def test_an_initial_trial_outside_the_range_counts_at_its_end(value):
    """It is a trial like others."""
    trials = drawn(40, near)
    outside = make_trial(
        40,
        3.0,
        parameters={"rate": value, "decay": 0.05, "kind": "a"},
        active=frozenset({"rate", "decay", "kind"}),
    )
    (one,) = importances(SPEC, [*trials, outside])
    assert one.trials == 41


def test_each_objective_has_its_own():
    """What decides accuracy may not decide latency."""
    spec = make_study(
        space=SPACE, objectives=(LOSS, Objective(metric="b", direction=Direction.MAXIMIZE))
    )
    trials = drawn(
        80, lambda these: make_outcome(values=(near(these), float(these["kind"] == "c")))
    )
    one, other = importances(spec, trials)
    assert (one.parameters[0].name, other.parameters[0].name) == ("rate", "kind")
    assert other.parameters[0].best == ("c",)
