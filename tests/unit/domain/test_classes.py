"""Outcome classes: which ended trials fall into which."""

from kubetune.domain import classes
from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import OutcomeClass
from kubetune.domain.trial import TrialState
from tests.builders import make_outcome, make_study, make_trial

SCOPE = {"state": Kind.STRING, "reason": Kind.STRING, "metrics": Kind.DOUBLES, "x": Kind.DOUBLE}


def make_class(name, when):
    return OutcomeClass(name=name, when=compile_expression(when, SCOPE))


SPEC = make_study(
    outcomes=(
        make_class("usable", "state == 'Complete' && metrics.accuracy >= 0.5"),
        make_class("bad", "state == 'Failed' || metrics.black > 0.5"),
        make_class("diverged", "reason == 'Diverged'"),
        make_class("low", "x < 0.1"),
    )
)


def test_every_class_is_counted_in_order():
    """A class that no trial is in counts 0; one trial may be in several."""
    failed = make_outcome(None, state=TrialState.FAILED, reason=TrialReason.DIVERGED)
    trials = (make_trial(0, 0.6), make_trial(1, 0.4), make_trial(2, outcome=failed))
    counts = classes.count(SPEC, trials)
    assert list(counts.items()) == [("usable", 1), ("bad", 1), ("diverged", 1), ("low", 0)]


def test_a_running_trial_is_in_no_class():
    """Classes speak of ended trials, whatever their parameters are."""
    assert classes.of(SPEC, make_trial(parameters={"x": 0.05})) == ()


def test_parameters_are_at_hand():
    """A class may depend on what the trial ran with."""
    assert classes.of(SPEC, make_trial(value=0.1, parameters={"x": 0.05})) == ("low",)


def test_a_missing_metric_does_not_hold():
    """A class that needs a metric which the trial never had does not hold."""
    assert classes.of(SPEC, make_trial(outcome=make_outcome(None))) == ()


def test_a_study_without_classes_counts_nothing():
    """No classes, no counts."""
    assert classes.count(make_study(), (make_trial(0, 0.6),)) == {}
