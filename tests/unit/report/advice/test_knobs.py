"""Advice on parameters that make no difference."""

from dataclasses import replace

from kubetune.report.advice import knobs
from kubetune.report.importance import Importance, Importances, Pair
from tests.unit.report import made


def part(name, share):
    return Importance(name, share, 0.0, 2 * share, (0.1,), ranged=False)


ONE = Importances(
    metric="accuracy",
    trials=60,
    explained=0.8,
    chance=0.02,
    pair_chance=0.01,
    parameters=(part("rate", 0.7), part("kind", 0.2), part("width", 0.005)),
    pairs=(),
)


def said(one):
    trials = [made.trial(number, 0.5, width=8 * 2 ** (number % 3)) for number in range(6)]
    return "\n".join(knobs.idle(replace(made.findings(*trials), importances=(one,))))


def test_a_parameter_that_does_not_matter():
    """Below chance, of enough trials, by a model that knows what does matter."""
    assert said(ONE) == (
        "`width` (best trial: 8) made no more difference than chance in 60 trials:"
        " fix it where a trial is cheapest, and search the rest."
    )


def test_what_is_not_known_is_not_said():
    """Few trials, a model that explains little, or one to which nothing matters: silence."""
    assert said(replace(ONE, trials=20)) == ""
    assert said(replace(ONE, explained=0.2)) == ""
    assert said(replace(ONE, chance=0.9)) == ""


def test_a_parameter_that_matters_together_with_another():
    """Fixing it would take that away."""
    assert said(replace(ONE, pairs=(Pair(("rate", "width"), 0.1),))) == ""


def test_a_share_that_is_not_slight():
    """Chance may be large; so large a share, or one near to chance, is no proof of nothing."""
    wide = replace(ONE, chance=0.2, parameters=(part("rate", 0.7), part("width", 0.08)))
    assert said(wide) == ""
    near = replace(ONE, parameters=(part("rate", 0.7), part("width", 0.019)))
    assert said(near) == ""
