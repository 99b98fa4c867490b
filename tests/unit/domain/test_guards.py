"""Guards: which report and which rule ends a trial, and what is said of it."""

import math

import pytest

from kubetune.domain import guards
from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import Direction, Guard, GuardOutcome, Objective
from kubetune.domain.trial import Point, TrialState
from tests.builders import ACCURACY, make_study, make_trial

SCOPE = {
    "x": Kind.DOUBLE,
    "metrics": Kind.DOUBLES,
    "previous": Kind.DOUBLES,
    "best": Kind.DOUBLES,
    "step": Kind.DOUBLE,
    "progress": Kind.DOUBLE,
    "elapsedSeconds": Kind.DOUBLE,
}


def make_guard(when, name="rule", outcome=GuardOutcome.FAILED, message=""):
    return Guard(name=name, when=compile_expression(when, SCOPE), outcome=outcome, message=message)


def check(guards_, *points, trial=None, best=None, elapsed_seconds=0.0, progress=0.0, **changes):
    return guards.check(
        make_study(guards=tuple(guards_), **changes),
        trial or make_trial(),
        points,
        best=best or {},
        elapsed_seconds=elapsed_seconds,
        progress=progress,
    )


def test_a_guard_ends_the_trial_with_its_figures():
    """The verdict names the guard, its message and every figure that it looked at."""
    guard = make_guard(
        "step >= 1.0 && metrics.loss > 1.0 && x < 0.9", "diverged", message="no learning"
    )
    verdict = check([guard], Point(2, {"loss": 1.5}))
    assert verdict
    assert (verdict.state, verdict.reason) == (TrialState.FAILED, TrialReason.GUARD_TRIPPED)
    assert verdict.message == (
        "guard 'diverged': no learning (step = 2, metrics.loss = 1.5, x = 0.5)"
    )


def test_a_guard_may_prune():
    """A guard with outcome Pruned ends the trial as Pruned, for the reason GuardTripped."""
    verdict = check([make_guard("step > 0.0", outcome=GuardOutcome.PRUNED)], Point(1, {}))
    assert verdict
    assert (verdict.state, verdict.reason) == (TrialState.PRUNED, TrialReason.GUARD_TRIPPED)


def test_the_first_point_then_the_first_guard_decides():
    """Points come before guards: a later guard at an earlier point wins."""
    verdict = check(
        [make_guard("step == 2.0", "later"), make_guard("step == 1.0", "earlier")],
        Point(1, {}),
        Point(2, {}),
    )
    assert verdict
    assert "'earlier'" in verdict.message


@pytest.mark.parametrize(
    "when", ["metrics.missing > 0.0", "previous.loss > 0.0", "best.loss > 0.0"]
)
def test_a_guard_on_what_is_unknown_does_not_hold(when):
    """A metric not yet reported, no point before, no best trial: the guard waits."""
    assert check([make_guard(when)], Point(1, {"loss": 1.0})) is None


def test_previous_is_the_point_before():
    """The stored curve's last point comes before the first new one, new ones follow each other."""
    trial = make_trial(curve=(Point(1, {"loss": 1.0}),))
    guard = make_guard("previous.loss == 0.5")
    points = [Point(2, {"loss": 0.5}), Point(3, {"loss": 0.7})]
    assert check([guard], points[0], trial=trial) is None
    verdict = check([guard], *points, trial=trial)
    assert verdict
    assert "step = 3, previous.loss = 0.5" in verdict.message


def test_previous_is_the_last_value_of_each_metric():
    """Evaluations are compared with each other, however often training is reported between them."""
    curve = (Point(1, {"accuracy": 0.9, "loss": 2.0}), Point(2, {"loss": 1.0}))
    guard = make_guard("metrics.accuracy < previous.accuracy")
    trial = make_trial(curve=curve)
    verdict = check([guard], Point(3, {"loss": 0.9}), Point(4, {"accuracy": 0.8}), trial=trial)
    assert verdict
    assert "metrics.accuracy = 0.8, previous.accuracy = 0.9" in verdict.message
    assert check([guard], Point(3, {"accuracy": 0.9}), trial=trial) is None


@pytest.mark.parametrize(
    "when",
    ["best.accuracy > 0.8", "progress >= 0.5", "elapsedSeconds > 60.0", "x == 0.5"],
)
def test_every_variable_is_at_hand(when):
    """Guards see the best trial's metrics, progress, time and parameters."""
    verdict = check(
        [make_guard(when)], Point(1, {}), best={"accuracy": 0.9}, progress=0.5, elapsed_seconds=61.0
    )
    assert verdict


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_non_finite_objective_needs_no_guard(value):
    """NaN or infinity of an objective ends the trial as Failed, Diverged."""
    verdict = check([make_guard("true")], Point(3, {"accuracy": value}))
    assert verdict
    assert (verdict.state, verdict.reason) == (TrialState.FAILED, TrialReason.DIVERGED)
    assert verdict.message == f"accuracy is {value} at step 3"


def test_every_objective_must_be_finite():
    """With several objectives the rule holds for each, not for the first alone."""
    second = Objective(metric="size", direction=Direction.MINIMIZE)
    verdict = check(
        [], Point(1, {"accuracy": 0.5, "size": math.nan}), objectives=(ACCURACY, second)
    )
    assert verdict
    assert verdict.reason is TrialReason.DIVERGED


def test_other_metrics_may_be_anything():
    """A non-finite value of a metric that is no objective ends nothing by itself."""
    assert check([], Point(1, {"gradient_norm": math.inf})) is None


def test_no_points_no_verdict():
    """Without a new report there is nothing to judge."""
    assert check([make_guard("true")]) is None
