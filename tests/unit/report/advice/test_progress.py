"""Advice on how far the search has come."""

from dataclasses import replace

import pytest

from kubetune.domain.end import End
from kubetune.domain.reasons import StudyReason
from kubetune.domain.study import Pruner, PrunerAlgorithm, TrialPolicy
from kubetune.report.advice import progress
from tests.unit.report import made


def said(rule, *trials, **changes):
    return "\n".join(rule(made.findings(*trials, **changes)))


def flat(number, last=0.9):
    """So many trials, of which the first but one is good and the last as given."""
    return [
        made.trial(index, 0.9 if index == 1 else last if index == number - 1 else 0.5)
        for index in range(number)
    ]


def test_a_plateau():
    """The last ten of twenty brought nothing; a tenth more, or too few trials, is none."""
    assert said(progress.plateau, *flat(20)).startswith(
        "The last 10 trials improved the best by 0.0 %"
    )
    assert said(progress.plateau, *flat(20, 0.99)) == ""
    assert said(progress.plateau, *flat(19)) == ""


def test_of_many_trials_the_last_tenth_counts():
    """Ten of three hundred are no evidence."""
    assert said(progress.plateau, *flat(300)).startswith("The last 30 trials")


def test_late_and_flat_is_not_said_together():
    """A best that came at the end and is hardly better calls for no more trials."""
    assert said(progress.late, *flat(20, 0.99)).startswith("The best came late (trial 19")
    assert said(progress.late, *flat(20, 0.901)) == ""


def asha(factor):
    return Pruner(
        algorithm=PrunerAlgorithm.ASHA, min_resource=2, max_resource=8, reduction_factor=factor
    )


def test_most_trials_cut_at_the_first_rung():
    """Nine of ten is more than two thirds; seven of ten is what a factor of three asks for."""
    cut = [made.pruned(number, 2) for number in range(9)]
    text = said(progress.first_rung, *cut, made.trial(9, 0.5), pruner=asha(3))
    assert text.startswith("9 of 10 trials were stopped at the first rung, step 2:")
    assert "`pruner.minResource`, to 6 say" in text
    some = [*cut[:7], *(made.trial(number, 0.5) for number in range(7, 10))]
    assert said(progress.first_rung, *some, pruner=asha(3)) == ""
    late = [made.pruned(number, 6) for number in range(9)]
    assert said(progress.first_rung, *late, made.trial(9, 0.5), pruner=asha(3)) == ""
    assert said(progress.first_rung, *cut, made.trial(9, 0.5), pruner=Pruner()) == ""


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        (StudyReason.SPACE_EXHAUSTED, "The space held 1 of 12 trials"),
        (StudyReason.PLATEAU_REACHED, "1 of 12 trials were used"),
        (StudyReason.TOO_MANY_FAILURES, "mend what fails"),
    ],
)
def test_a_budget_that_is_left(reason, word):
    """However the study ended, what is left of its trials is said; nothing of a used budget."""
    found = replace(made.findings(made.trial(0, 0.5)), end=End(reason, succeeded=True, message=""))
    assert word in "\n".join(progress.budget(found))
    assert said(progress.budget, made.trial(0, 0.5), trials=TrialPolicy(max=1)) == ""
