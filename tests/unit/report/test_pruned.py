"""What pruning saved."""

from kubetune.domain.study import Pruner
from kubetune.report.pruned import Savings, savings
from tests.builders import make_points
from tests.unit.report import made


def test_steps_saved_up_to_the_pruner_s_limit():
    """A trial cut at 2 of 8 steps saved 6, beside one that ran all 8."""
    assert savings(made.findings(made.trial(0, 0.5), made.pruned(1, 2))) == Savings(6, 16)


def test_without_a_limit_complete_trials_say_the_length():
    """All complete trials ran 8 steps: the pruned one would have too."""
    found = made.findings(made.trial(0, 0.5), made.pruned(1, 4), pruner=Pruner())
    assert savings(found) == Savings(4, 16)


def test_unknown_lengths_are_not_guessed():
    """Complete trials of different lengths, or none: nothing is claimed."""
    other = made.trial(1, 0.5, curve=make_points(0.1, 0.2))
    cut = made.pruned(2, 1)
    assert savings(made.findings(made.trial(0, 0.5), other, cut, pruner=Pruner())) is None
    assert savings(made.findings(cut, pruner=Pruner())) is None


def test_nothing_pruned_saved_nothing():
    """A study without pruned trials has no savings to speak of."""
    assert savings(made.findings(made.trial(0, 0.5))) is None
