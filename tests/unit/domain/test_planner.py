"""The plan as a whole: outages, when to look again, the same twice."""

import pytest

from kubetune.domain.actions import (
    StopRun,
)
from kubetune.domain.planner import plan
from kubetune.domain.reasons import TrialReason
from kubetune.domain.runs import RunState
from kubetune.domain.study import TrialPolicy
from tests.builders import (
    NOW,
    make_observation,
    make_run,
    make_study,
    make_trial,
)
from tests.unit.domain.planned import DONE


class TestOutages:
    def test_without_storage_nothing_is_told_drawn_or_launched(self) -> None:
        """Running trials go on; the ended run is kept until its result can be told."""
        seen = make_observation(
            make_trial(0), runs=(make_run(0, exit=DONE), make_run(5)), storage_reachable=False
        )
        assert plan(seen).actions == ()

    def test_without_storage_a_pause_still_stops_runs(self) -> None:
        """Ctrl-C works when the database does not."""
        seen = make_observation(
            make_trial(0), runs=(make_run(0),), storage_reachable=False, interrupted=True
        )
        assert [type(action) for action in plan(seen).actions] == [StopRun]


class TestWaking:
    @pytest.mark.parametrize(
        ("stuck_for", "seconds"), [(0.0, 10.0), (3595.0, 5.0), (9000.0, 10.0), (None, 10.0)]
    )
    def test_it_is_when_a_run_has_been_stuck_for_too_long(self, stuck_for, seconds) -> None:
        """A pending run brings no news of its own; that of an ended trial is not waited for."""
        run = make_run(
            0,
            state=RunState.PENDING,
            started_at=None,
            stuck=TrialReason.NONE if stuck_for is None else TrialReason.UNSCHEDULABLE,
            stuck_since=None if stuck_for is None else NOW - stuck_for,
        )
        policy = TrialPolicy(max=1, parallelism=1, pending_timeout_seconds=3600)
        seen = make_observation(make_trial(0), runs=(run,), spec=make_study(trials=policy))
        assert plan(seen).wake_after_seconds == seconds

    @pytest.mark.parametrize(
        ("runs", "timeout", "seconds"),
        [
            ((), None, None),
            ((make_run(0, exit=DONE),), None, None),
            ((make_run(0),), None, 10.0),
            ((make_run(0),), 14.0, 4.0),
            ((make_run(0),), 60.0, 10.0),
            ((make_run(0, state=RunState.PENDING, started_at=None),), 4.0, 10.0),
        ],
    )
    def test_the_next_look_is_at_the_nearest_deadline(self, runs, timeout, seconds) -> None:
        """A metrics interval or a time limit; without a run only a change can bring news."""
        policy = TrialPolicy(max=1, parallelism=1, timeout_seconds=timeout)
        seen = make_observation(make_trial(0), runs=runs, spec=make_study(trials=policy))
        assert plan(seen).wake_after_seconds == seconds


class TestManyTrials:
    def test_a_plan_is_a_function_of_what_is_seen(self) -> None:
        """Planned twice, it is the same; what it was made from has not changed."""
        trials = [make_trial(number, value=0.5) for number in range(3)]
        seen = make_observation(*trials, make_trial(3), runs=(make_run(3, exit=DONE),))
        assert plan(seen) == plan(seen)
