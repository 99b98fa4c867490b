"""Advice: each piece stands on figures, and is silent without them."""

import pytest

from kubetune.domain.reasons import TrialReason
from kubetune.domain.space import Integer, Space
from kubetune.domain.study import Objective, TrialPolicy
from kubetune.report.advice import advice
from tests.unit.report import made


def said(word: str, *trials, **changes):
    """Whether some advice has this word."""
    return any(word in text for text in advice(made.findings(*trials, **changes)))


def test_an_unbeaten_baseline():
    """The study found nothing better than what was known."""
    known = made.trial(0, 0.8, baseline=True)
    assert said("The baseline was not beaten by 1 other", known, made.trial(1, 0.7))
    assert not said("The baseline", known, made.trial(1, 0.9))


def test_one_reason_for_many_failures():
    """Two failures in five are worth a cure, one is not."""
    complete = tuple(made.trial(number, 0.5) for number in range(3))
    late = tuple(made.failed(number, TrialReason.TIMED_OUT) for number in (3, 4))
    assert said("2 of 5 trials ended TimedOut: raise `trials.timeoutSeconds`", *complete, *late)
    assert not said("TimedOut", *complete, late[0])


def test_a_mark_that_many_trials_bear():
    """Two of five are worth a treatment; a mark that is their reason has been treated already."""
    complete = tuple(made.trial(number, 0.95) for number in range(3))
    learned = tuple(made.overfitted(number) for number in (3, 4))
    assert said("2 of 5 trials are marked Overfitting: train for fewer", *complete, *learned)
    assert not said("marked", *complete, learned[0])
    diverged = tuple(made.failed(number, TrialReason.DIVERGED) for number in (3, 4))
    assert not said("marked", *complete, *diverged)


def test_a_best_trial_that_overfitted():
    """How long to train it is worth knowing."""
    assert said("(trial 1) was best at step 3", made.trial(0, 0.5), made.overfitted(1))
    assert not said("was best at", made.trial(0, 0.95), made.overfitted(1))


def test_what_failing_trials_have_in_common():
    """A choice that all of them made, and few others, is named."""
    complete = tuple(made.trial(number, 0.5) for number in range(4))
    heavy = tuple(made.failed(n, TrialReason.DIVERGED, kind="heavy") for n in (4, 5))
    assert said("all with `kind` `heavy` (0 of the 4 others too)", *complete, *heavy)
    plain = tuple(made.failed(n, TrialReason.DIVERGED) for n in (4, 5))
    assert not said("all with", *complete, *plain)


def test_cancelled_trials_are_no_failures():
    """Trials that the study's end stopped say nothing about the space."""
    cancelled = tuple(made.failed(n, TrialReason.CANCELLED) for n in (1, 2, 3))
    assert not said("Cancelled", made.trial(0, 0.5), *cancelled)


def test_an_unused_budget():
    """Trials that were not drawn yet are counted; none of a used budget."""
    assert said("1 of the 12 trials asked for were drawn", made.trial(0, 0.5))
    assert not said("asked for", made.trial(0, 0.5), trials=TrialPolicy(max=1))


def test_a_target_that_was_reached():
    """A study that ended early by success may be asked for more."""
    target = (Objective(metric="accuracy", direction=made.TWO[0].direction, target=0.4),)
    assert said("The target was reached after 1 of 12", made.trial(0, 0.5), objectives=target)


def test_few_complete_trials():
    """Below two complete trials a parameter the best is mostly luck."""
    trials = tuple(made.trial(number, 0.5) for number in range(8))
    assert said("only 7 complete trials for 4 parameters", *trials[:7])
    assert not said("complete trials for", *trials)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"rate": 1e-4}, "`rate` of the best trial is 0.0001, at the lower end"),
        ({"rate": 0.9}, "at the upper end of its range (0.0001 to 1)"),
        ({"rate": 0.01}, None),
        ({"width": 8}, "`width` of the best trial is 8, at the lower end"),
        ({"width": 32}, "at the upper end of its range (8, 16, 32)"),
        ({"kind": "heavy", "width": 16}, None),
    ],
)
def test_a_best_value_at_an_edge(values, words):
    """Ends of ranges and of ordered lists count, on the scale searched; words have no end."""
    assert said(words or "end of", made.trial(0, 0.5, **values)) is (words is not None)


def test_a_choice_of_two_has_no_edge():
    """With two whole numbers every value is an end: that says nothing."""
    space = Space(parameters=(Integer(name="width", low=16, high=17),))
    assert not said("end of", made.trial(0, 0.5), space=space)


def test_an_inactive_parameter_is_at_no_edge():
    """`momentum` is 0.0 where it is not used: below its range, and no reason to widen it."""
    assert not said("`momentum`", made.trial(0, 0.5, kind="plain"))


def test_a_parameter_that_the_top_agree_on():
    """All of the top five have it, others were tried, and enough trials have ended."""
    good = tuple(made.trial(number, 0.9, width=32, rate=0.01 + number) for number in range(5))
    poor = tuple(made.trial(number, 0.1, width=16) for number in range(5, 10))
    assert said("`width` is 32 in all of the top 5, and 2 values were tried", *good, *poor)
    assert not said("in all of the top", *good, *poor[:4])
    assert not said("`kind` is", *good, *poor)


def test_a_best_that_came_late():
    """When the last fifth brings the best, the search is not done."""
    early = tuple(made.trial(number, 0.5) for number in range(9))
    assert said("The best came late (trial 9, the last being 9)", *early, made.trial(9, 0.6))
    assert not said("came late", *early, made.trial(9, 0.4))


def test_advice_about_the_space_names_the_way():
    """Parameters of a study that has trials cannot change: a new name is needed."""
    assert said("a manifest with a new name", made.trial(0, 0.5, rate=1.0))
