"""How long the values of a run that has ended are waited for."""

from typing import Any

import pytest

from kubetune.domain.actions import RecordPoints, RemoveRun, TellResult
from kubetune.domain.last_values import OUTAGE_SECONDS
from kubetune.domain.observation import LastReading, Observation, Reading
from kubetune.domain.planner import plan
from kubetune.domain.reasons import TrialReason
from kubetune.domain.runs import Exit
from kubetune.domain.study import Pruner, PrunerAlgorithm
from kubetune.domain.trial import Point, TrialState
from tests.builders import (
    make_exit,
    make_observation,
    make_points,
    make_result,
    make_run,
    make_study,
    make_trial,
)
from tests.unit.domain.planned import planned

LAG = 30.0
ONE = make_study(max_trials=1, parallelism=1)
OTHER = make_result(0.5, metric="other")


def seen(
    end: Exit,
    seconds: float = 0.0,
    *,
    answered: bool = False,
    curve: tuple[Point, ...] = (),
    **changes: Any,
) -> Observation:
    """A run that has ended and been waited for; metrics lag behind."""
    run = make_run(0, exit=end)
    last = {run.uid: LastReading(seconds, answered)}
    values = {"spec": ONE, "metrics_lag_seconds": LAG, "last_readings": last} | changes
    return make_observation(make_trial(0, curve=curve), runs=(run,), **values)


@pytest.mark.parametrize(
    ("end", "curve", "seconds", "answered", "left"),
    [
        (make_exit(0), (), 0, False, OUTAGE_SECONDS),
        (make_exit(0), (), 5, True, LAG - 5),
        (make_exit(0), (), LAG, True, 0),
        (make_exit(0), (), LAG + 1, False, OUTAGE_SECONDS - LAG - 1),
        (make_exit(0), (), OUTAGE_SECONDS, False, 0),
        (make_exit(0), make_points(0.5), 0, False, LAG),
        (make_exit(0), make_points(0.5), 1, True, 0),
        (make_exit(0), make_points(0.5), LAG, False, 0),
        (make_exit(0, OTHER), (), 0, False, OUTAGE_SECONDS),
        (make_exit(0, OTHER), (), 5, True, LAG - 5),
        (make_exit(0, OTHER), make_points(0.5), 0, False, 0),
        (make_exit(0, make_result(0.5)), (), 0, False, 0),
        (make_exit(0), make_points(float("nan")), 0, False, 0),
        (make_exit(0, b"{{{"), (), 0, False, 0),
        (make_exit(1), (), 0, False, 0),
        (make_exit(137), (), 0, False, 0),
        (make_exit(None, launch_error="no image"), (), 0, False, 0),
    ],
    ids=[
        "nothing known",
        "answered, early",
        "answered, late",
        "metrics away",
        "metrics away for long",
        "values, not asked yet",
        "values, answered",
        "values, metrics away",
        "result without the objective",
        "result without the objective, answered",
        "result without it, values",
        "result",
        "diverged",
        "garbage",
        "crashed",
        "killed",
        "never ran",
    ],
)
def test_a_run_is_waited_for(end, curve, seconds, answered, left) -> None:
    """As long as more values could change the outcome, and never for longer than an outage."""
    decided = plan(seen(end, seconds, answered=answered, curve=curve))
    assert decided.awaited == ({"run-0-1"} if left else set())
    if left:
        assert decided.actions == ()
        assert decided.wake_after_seconds == min(left, ONE.metrics_interval_seconds)


def test_without_a_lag_nothing_is_waited_for() -> None:
    """On one machine a process that has ended shows nothing any more."""
    (tell,) = planned(seen(make_exit(0), metrics_lag_seconds=0.0), TellResult)
    assert tell.outcome.reason is TrialReason.METRICS_MISSING


def test_what_arrives_meanwhile_is_the_trials_value() -> None:
    """Recorded, then told, and the run is done with."""
    late = {0: Reading(make_points(0.7))}
    decided = plan(seen(make_exit(0), 5, answered=True, readings=late))
    record, tell, remove = decided.actions
    assert isinstance(record, RecordPoints)
    assert isinstance(tell, TellResult)
    assert (tell.outcome.state, tell.outcome.values) == (TrialState.COMPLETE, (0.7,))
    assert isinstance(remove, RemoveRun)


def test_a_trial_that_has_done_its_work_is_not_pruned() -> None:
    """Its last values decide what it is worth; there is nothing to save any more."""
    pruner = Pruner(algorithm=PrunerAlgorithm.THRESHOLD, lower=0.5)
    spec = make_study(max_trials=1, parallelism=1, pruner=pruner)
    late = {0: Reading(make_points(0.1))}
    (tell,) = planned(seen(make_exit(0), 5, answered=True, readings=late, spec=spec), TellResult)
    assert tell.outcome.state is TrialState.COMPLETE


def test_a_trial_that_is_waited_for_holds_its_slot() -> None:
    """It has no result: a second one beside it would be one too many if it were tried again."""
    spec = make_study(max_trials=2, parallelism=1)
    assert plan(seen(make_exit(0), spec=spec)).actions == ()
