"""What becomes of trials whose runs have ended."""

from typing import ClassVar

import pytest

from kubetune.domain.actions import (
    DrawTrials,
    LaunchTrial,
    RecordPoints,
    RemoveRun,
    RetryTrial,
    StopRun,
    TellResult,
)
from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.observation import Reading
from kubetune.domain.planner import plan
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import Guard, GuardOutcome
from kubetune.domain.trial import Outcome, TrialState
from tests.builders import (
    NOW,
    make_exit,
    make_observation,
    make_points,
    make_run,
    make_study,
    make_trial,
)
from tests.unit.domain.planned import DONE, planned


class TestEndedRuns:
    def test_a_result_is_told_and_its_slot_filled_in_one_pass(self) -> None:
        """Results come before draws, which learn from them; house-keeping waits."""
        seen = make_observation(make_trial(0), runs=(make_run(0, exit=DONE),))
        kinds = [type(action) for action in plan(seen).actions]
        assert kinds == [TellResult, DrawTrials]

    def test_the_tell_carries_the_times_of_the_run(self) -> None:
        """Seconds of a trial are those of its runs, not of the engine's passes."""
        seen = make_observation(make_trial(0), runs=(make_run(0, exit=DONE),))
        (tell,) = planned(seen, TellResult)
        assert (tell.started_at, tell.ended_at) == (NOW - 10, NOW)

    def test_a_trial_keeps_its_first_start(self) -> None:
        """A trial that was retried has run since its first attempt."""
        trial = make_trial(0, attempt=2, started_at=NOW - 500)
        (tell,) = planned(make_observation(trial, runs=(make_run(0, 2, exit=DONE),)), TellResult)
        assert tell.started_at == NOW - 500

    def test_the_curve_of_the_message_is_recorded_before_the_end_is_told(self) -> None:
        """After its end a trial takes no more points."""
        message = (
            b'{"schema": 1, "state": "Complete", "metrics": {"accuracy": 0.9},'
            b' "curve": [[1, 0.5], [2, 0.9]]}'
        )
        runs = (make_run(0, exit=make_exit(0, message)),)
        first, second, *_ = plan(make_observation(make_trial(0), runs=runs)).actions
        assert isinstance(first, RecordPoints)
        assert [point.step for point in first.points] == [1, 2]
        assert isinstance(second, TellResult)

    def test_a_disrupted_run_is_followed_by_the_next_attempt(self) -> None:
        """Killed from outside: tried again at once, in the slot that it leaves."""
        runs = (make_run(0, exit=make_exit(137)),)
        seen = make_observation(make_trial(0), runs=runs, spec=make_study(parallelism=1))
        assert plan(seen).actions == (
            RetryTrial(0, 2, TrialReason.DISRUPTED, {"x": 0.5}, NOW - 10),
            LaunchTrial(0, 2),
            RemoveRun(0, 1, "run-0-1"),
        )

    def test_a_run_that_was_stopping_goes_on_later_and_counts_as_no_disruption(self) -> None:
        """Only a pause stops the run of a trial that has no result."""
        runs = (make_run(0, exit=make_exit(143), stopping=True),)
        seen = make_observation(make_trial(0), runs=runs)
        (retry,) = planned(seen, RetryTrial)
        assert retry.reason is TrialReason.SUSPENDED

    def test_a_run_that_was_stopping_may_still_complete(self) -> None:
        """A result that came before the signal is a result."""
        runs = (make_run(0, exit=DONE, stopping=True),)
        (tell,) = planned(make_observation(make_trial(0), runs=runs), TellResult)
        assert tell.outcome.state is TrialState.COMPLETE

    def test_an_older_attempt_says_nothing_of_the_present_one(self) -> None:
        """The run of attempt 1 ended when attempt 2 was begun; its record is dropped."""
        runs = (make_run(0, 1, exit=DONE),)
        seen = make_observation(make_trial(0, attempt=2), runs=runs, spec=make_study(parallelism=1))
        assert plan(seen).actions == (LaunchTrial(0, 2), RemoveRun(0, 1, "run-0-1"))

    def test_of_two_runs_of_one_attempt_the_ended_one_counts(self) -> None:
        """A double is stopped, not judged: the trial is told once."""
        other = make_run(0, uid="double")
        seen = make_observation(make_trial(0), runs=(other, make_run(0, exit=DONE)))
        assert len(planned(seen, TellResult)) == 1
        assert [stop.uid for stop in planned(seen, StopRun)] == ["double"]


class TestLastWords:
    """What a run that was cut off says at its end."""

    NAN = (
        b'{"schema": 1, "state": "Stopped", "curve": [[1, 0.5], [2, "NaN"]],'
        b' "step": 2, "metrics": {"accuracy": "NaN"}}'
    )

    def test_a_non_finite_value_is_not_held_against_the_next_attempt(self) -> None:
        """A trial that is cut off has in its hands what it has; it reported none of it."""
        runs = (make_run(0, exit=make_exit(143, self.NAN)),)
        seen = make_observation(make_trial(0), runs=runs, spec=make_study(parallelism=1))
        (record,) = planned(seen, RecordPoints)
        assert record.points == make_points(0.5)
        (retry,) = planned(seen, RetryTrial)
        assert retry.reason is TrialReason.DISRUPTED

    def test_a_trial_that_had_diverged_before_is_not_tried_again(self) -> None:
        """What it reported is a report, whatever came after it."""
        runs = (make_run(0, exit=make_exit(137)),)
        readings = {0: Reading(make_points(float("nan")))}
        seen = make_observation(make_trial(0), runs=runs, readings=readings)
        (tell,) = planned(seen, TellResult)
        assert tell.outcome.reason is TrialReason.DIVERGED


class TestGuardsAtTheEnd:
    """A trial that is shorter than a scrape interval is guarded like any other."""

    SCOPE: ClassVar = {
        "step": Kind.DOUBLE,
        "progress": Kind.DOUBLE,
        "elapsedSeconds": Kind.DOUBLE,
        "metrics": Kind.DOUBLES,
    }
    MESSAGE = (
        b'{"schema": 1, "state": "Complete", "metrics": {"accuracy": 0.9},'
        b' "curve": [[1, 0.1], [2, 0.9]], "step": 2}'
    )

    def outcome(self, when: str, code: int = 0) -> Outcome:
        rule = Guard(
            name="rule", when=compile_expression(when, self.SCOPE), outcome=GuardOutcome.PRUNED
        )
        spec = make_study(max_trials=1, parallelism=1, guards=(rule,))
        runs = (make_run(0, exit=make_exit(code, self.MESSAGE)),)
        (tell,) = planned(make_observation(make_trial(0), runs=runs, spec=spec), TellResult)
        return tell.outcome

    def test_points_that_come_with_the_result_are_checked(self) -> None:
        """Whether a scrape came in time makes no difference."""
        outcome = self.outcome("metrics.accuracy < 0.2")
        assert (outcome.state, outcome.reason) == (TrialState.PRUNED, TrialReason.GUARD_TRIPPED)

    @pytest.mark.parametrize(
        ("when", "trips"),
        [
            ("step == 1.0 && elapsedSeconds > 5.0", False),
            ("step == 2.0 && elapsedSeconds > 5.0", True),
            ("step == 1.0 && progress >= 0.1", False),
            ("step == 2.0 && progress >= 0.1", True),
        ],
    )
    def test_time_and_progress_are_those_of_the_end(self, when: str, trips: bool) -> None:
        """When an earlier point was reported is not known."""
        assert (self.outcome(when).state is TrialState.PRUNED) == trips

    def test_a_trial_that_failed_keeps_its_own_reason(self) -> None:
        """A crash is a crash, whatever it reported."""
        assert self.outcome("metrics.accuracy < 0.2", code=1).reason is TrialReason.CRASHED
