"""Advice on rules that cannot do what they are there for."""

import pytest

from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import Guard, GuardOutcome, OutcomeClass
from kubetune.report.advice import rules
from tests.unit.report import made

SCOPE = {
    "metrics": Kind.DOUBLES,
    "previous": Kind.DOUBLES,
    "step": Kind.DOUBLE,
    "state": Kind.STRING,
}


def guard(text):
    return Guard(name="late", when=compile_expression(text, SCOPE), outcome=GuardOutcome.PRUNED)


def said(rule, *trials, **changes):
    return "\n".join(rule(made.findings(*trials, **changes)))


@pytest.mark.parametrize(
    ("when", "absent"),
    [
        ("metrics.val_loss > 1.0", True),
        ("step > 1.0 && metrics.accuracy < previous.val_loss", True),
        ("metrics.accuracy < 0.1", False),
        ("metrics.accuracy < 0.1 || metrics.val_loss > 1.0", False),
        ("metrics.val_loss > 1.0 || metrics.val_error > 1.0", True),
        ("step > 100.0 || metrics.val_loss > 1.0", False),
    ],
)
def test_a_guard_that_could_never_hold(when, absent):
    """It asks for a metric that no trial reported, and nothing else can make it hold."""
    text = said(rules.never_reported, made.trial(0, 0.5), guards=(guard(when),), outcomes=())
    assert ("The guard `late` could not hold: no trial reported" in text) is absent
    assert ("Reported were `accuracy`." in text) is absent


def test_a_class_that_could_never_hold():
    """Its metric may come at the end alone; where it never came, that is said."""
    named = OutcomeClass(name="sharp", when=compile_expression("metrics.clip > 0.3", SCOPE))
    assert "The outcome class `sharp` could not hold" in said(
        rules.never_reported, made.trial(0, 0.5), outcomes=(named,)
    )
    at_end = OutcomeClass(name="low", when=compile_expression("metrics.loss < 0.3", SCOPE))
    assert said(rules.never_reported, made.trial(0, 0.5), outcomes=(at_end,)) == ""


def test_nothing_was_reported_at_all():
    """Then the trials have other troubles."""
    dead = made.trial(0, curve=())
    assert said(rules.never_reported, dead, guards=(guard("metrics.val_loss > 1.0"),)) == ""


def test_a_constraint_that_turns_down_most_draws():
    """Thirty for two that were launched; ten for thirty are the price of a rule."""
    bitten = made.trial(1, 0.5, rejected={"no-fast-heavy": 30})
    text = said(rules.biting, made.trial(0, 0.5), bitten)
    assert "The constraint `no-fast-heavy` turned down 30 draws for 2 that were launched" in text
    many = [made.trial(number, 0.5) for number in range(2, 31)]
    assert said(rules.biting, made.trial(1, 0.5, rejected={"no-fast-heavy": 10}), *many) == ""
    few = made.failed(1, TrialReason.CRASHED, rejected={"no-fast-heavy": 4})
    assert said(rules.biting, few) == ""
