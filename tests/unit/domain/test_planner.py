"""One pass at a time: what is seen on the left, what is planned on the right."""

from dataclasses import replace

import pytest

from kubetune.domain.actions import (
    AddInitialTrial,
    DrawTrials,
    LaunchTrial,
    RecordPoints,
    RemoveRun,
    RetryTrial,
    StopRun,
    TellResult,
)
from kubetune.domain.observation import Observation, Reading
from kubetune.domain.planner import plan
from kubetune.domain.reasons import EventReason, StudyReason, TrialReason
from kubetune.domain.runs import RunState
from kubetune.domain.study import InitialTrial, Pruner, PrunerAlgorithm, TrialPolicy
from kubetune.domain.trial import Point, TrialState
from tests.builders import (
    NOW,
    make_exit,
    make_observation,
    make_outcome,
    make_points,
    make_result,
    make_run,
    make_study,
    make_trial,
)

DONE = make_exit(0, make_result(0.9))
KNOWN = InitialTrial(name="known", parameters={"x": 0.1}, metrics={"accuracy": 0.2})
FIRST = InitialTrial(name="first", parameters={"x": 0.2}, baseline=True)
SECOND = InitialTrial(name="second", parameters={"x": 0.3})


def planned(seen: Observation, kind: type) -> list:
    return [action for action in plan(seen).actions if isinstance(action, kind)]


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


class TestReadings:
    def test_new_points_are_recorded_in_order_and_known_ones_are_not(self) -> None:
        """A source may repeat itself."""
        reading = Reading(make_points(0.1, 0.2, 0.3)[::-1])
        trial = make_trial(0, curve=make_points(0.1))
        seen = make_observation(
            trial, runs=(make_run(0),), readings={0: reading}, spec=make_study(parallelism=1)
        )
        (record,) = plan(seen).actions
        assert record == RecordPoints(0, make_points(0.2, 0.3, start=2))

    @pytest.mark.parametrize("point", [Point(float("nan"), {"accuracy": 1.0}), Point(1, {})])
    def test_a_point_without_step_or_metric_is_none(self, point: Point) -> None:
        """What cannot be placed on a curve is left."""
        seen = make_observation(make_trial(0), runs=(make_run(0),), readings={0: Reading((point,))})
        assert planned(seen, RecordPoints) == []

    def test_recording_waits_for_a_pass_without_draws(self) -> None:
        """A free slot waits for a draw, not for the book-keeping of others."""
        seen = make_observation(
            make_trial(0), runs=(make_run(0),), readings={0: Reading(make_points(0.5))}
        )
        assert plan(seen).actions == (DrawTrials(1),)

    def test_a_reading_of_a_trial_without_a_run_is_old(self) -> None:
        """The next attempt starts from what is stored."""
        seen = make_observation(
            make_trial(0), readings={0: Reading(make_points(0.5))}, spec=make_study(parallelism=1)
        )
        assert plan(seen).actions == (LaunchTrial(0, 1),)


class TestVerdicts:
    def test_a_non_finite_objective_ends_the_trial_and_stops_its_run(self) -> None:
        """The result is told at once; the slot is free only when the run has ended."""
        seen = make_observation(
            make_trial(0),
            runs=(make_run(0),),
            readings={0: Reading(make_points(float("nan")))},
            spec=make_study(parallelism=1),
        )
        record, tell, stop = plan(seen).actions
        assert isinstance(record, RecordPoints)
        assert isinstance(tell, TellResult)
        assert tell.outcome.reason is TrialReason.DIVERGED
        assert stop == StopRun(0, 1, "run-0-1", "Diverged")

    @pytest.mark.parametrize(("seconds", "late"), [(59, False), (60, True), (600, True)])
    def test_a_trial_has_its_time(self, seconds: float, late: bool) -> None:
        """trials.timeoutSeconds counts from the start of the present attempt."""
        spec = make_study(trials=TrialPolicy(max=5, timeout_seconds=60))
        runs = (make_run(0, started_at=NOW - seconds),)
        seen = make_observation(make_trial(0), runs=runs, spec=spec)
        reasons = [tell.outcome.reason for tell in planned(seen, TellResult)]
        assert reasons == ([TrialReason.TIMED_OUT] if late else [])

    @pytest.mark.parametrize(("reachable", "pruned"), [(True, True), (False, False)])
    def test_pruning_waits_for_metrics(self, reachable: bool, pruned: bool) -> None:
        """Curves that stand still prove nothing."""
        spec = make_study(pruner=Pruner(algorithm=PrunerAlgorithm.THRESHOLD, lower=0.5))
        seen = make_observation(
            make_trial(0),
            runs=(make_run(0),),
            readings={0: Reading(make_points(0.1))},
            spec=spec,
            metrics_reachable=reachable,
        )
        states = [tell.outcome.state for tell in planned(seen, TellResult)]
        assert states == ([TrialState.PRUNED] if pruned else [])

    def test_a_run_is_told_to_stop_once(self) -> None:
        """A stopping run is left to its grace period."""
        seen = make_observation(
            make_trial(0, value=0.5),
            runs=(make_run(0, stopping=True),),
            spec=make_study(parallelism=1),
        )
        assert plan(seen).actions == ()


class TestLeftovers:
    @pytest.mark.parametrize(
        ("run", "action"),
        [
            (make_run(7), StopRun),
            (make_run(7, exit=DONE), RemoveRun),
            (make_run(0, 2), StopRun),
            (make_run(1), StopRun),
            (make_run(1, exit=DONE), RemoveRun),
        ],
        ids=["unknown", "unknown, ended", "another attempt", "told", "told, ended"],
    )
    def test_a_run_that_is_no_present_attempt_goes(self, run, action: type) -> None:
        """Stopped while it runs, removed once it has ended."""
        spec = make_study(max_trials=2)
        seen = make_observation(make_trial(0), make_trial(1, value=0.1), runs=(run,), spec=spec)
        assert [each.uid for each in planned(seen, action)] == [run.uid]

    def test_a_leftover_run_holds_its_slot(self) -> None:
        """Two trials at once are two processes at once, whoever they belong to."""
        spec = make_study(parallelism=1)
        seen = make_observation(make_trial(0), runs=(make_run(7),), spec=spec)
        assert [type(action) for action in plan(seen).actions] == [StopRun]


class TestLaunches:
    def test_waiting_trials_are_launched_lowest_first_into_free_slots(self) -> None:
        """After parallelism was lowered some wait."""
        trials = [make_trial(number) for number in range(4)]
        seen = make_observation(*trials, runs=(make_run(1),))
        assert plan(seen).actions == (LaunchTrial(0, 1),)

    @pytest.mark.parametrize(("capacity", "launches"), [(None, 2), (5, 2), (1, 1), (0, 0)])
    def test_capacity_bounds_parallelism(self, capacity: int | None, launches: int) -> None:
        """Four GPUs hold four trials, whatever the manifest says."""
        seen = make_observation(make_trial(0), make_trial(1), capacity=capacity)
        assert len(planned(seen, LaunchTrial)) == launches

    @pytest.mark.parametrize(
        ("trials", "draws"),
        [
            ((), 1),
            ((make_trial(0),), 1),
            ((make_trial(0), make_trial(1)), 0),
            ((make_trial(0, value=0.5), make_trial(1)), 1),
            (tuple(make_trial(number, value=0.5) for number in range(9)), 1),
            (tuple(make_trial(number, value=0.5) for number in range(10)), 0),
        ],
        ids=["none", "one slot", "no slot", "one ended", "one left", "budget used"],
    )
    def test_one_trial_is_drawn_when_slot_and_budget_allow(self, trials, draws: int) -> None:
        """A drawn trial starts before the next one is drawn."""
        runs = tuple(make_run(trial.number) for trial in trials if not trial.state.ended)
        seen = make_observation(*trials, runs=runs)
        assert sum(action.count for action in planned(seen, DrawTrials)) == draws

    def test_nothing_is_drawn_from_an_exhausted_space(self) -> None:
        """What has been tried is not tried twice."""
        seen = make_observation(make_trial(0), runs=(make_run(0),), exhausted=True)
        assert plan(seen).actions == ()


class TestInitialTrials:
    spec = make_study(initial_trials=(KNOWN, FIRST, SECOND))

    def test_they_come_first_and_known_ones_take_no_slot(self) -> None:
        """Two slots: two that run, and the one whose result is known."""
        assert plan(make_observation(spec=self.spec)).actions == (
            AddInitialTrial("known"),
            AddInitialTrial("first"),
            AddInitialTrial("second"),
        )

    def test_those_there_are_not_added_again(self) -> None:
        """By name, once."""
        seen = make_observation(make_trial(0, initial="first"), runs=(make_run(0),), spec=self.spec)
        assert planned(seen, AddInitialTrial) == [
            AddInitialTrial("known"),
            AddInitialTrial("second"),
        ]

    def test_imported_ones_do_not_count_against_the_budget(self) -> None:
        """trials.max is for trials that run."""
        spec = replace(self.spec, trials=TrialPolicy(max=1), initial_trials=(KNOWN,))
        imported = make_trial(0, initial="known", outcome=make_outcome(reason=TrialReason.IMPORTED))
        assert planned(make_observation(imported, spec=spec), DrawTrials) == [DrawTrials(1)]

    def test_more_of_them_than_the_budget_are_not_all_run(self) -> None:
        """trials.max holds for them too; known ones are imported all the same."""
        spec = replace(self.spec, trials=TrialPolicy(max=1, parallelism=9))
        names = [action.name for action in planned(make_observation(spec=spec), AddInitialTrial)]
        assert names == ["known", "first"]


class TestTheEnd:
    @pytest.mark.parametrize(
        ("policy", "values", "exhausted", "reason"),
        [
            (TrialPolicy(max=2), (0.5, 0.6), False, StudyReason.TRIALS_EXHAUSTED),
            (TrialPolicy(max=3), (0.5, 0.6), False, None),
            (TrialPolicy(max=3), (0.5, 0.6), True, StudyReason.SPACE_EXHAUSTED),
            (TrialPolicy(max=3), (0.5, 0.99), False, StudyReason.TARGET_REACHED),
            (TrialPolicy(max=9, max_failed=1), (None, 0.6), False, None),
            (TrialPolicy(max=9, max_failed=1), (None, None), False, StudyReason.TOO_MANY_FAILURES),
            (TrialPolicy(max=9, max_failed=0), (None,), False, StudyReason.TOO_MANY_FAILURES),
            (TrialPolicy(max=2), (None, None), False, StudyReason.NO_SUCCESSFUL_TRIAL),
        ],
    )
    def test_a_study_ends_for_one_reason(self, policy, values, exhausted, reason) -> None:
        """Target, failures, budget, space: the first that holds; else it goes on."""
        failed = make_outcome(None, state=TrialState.FAILED, reason=TrialReason.CRASHED)
        trials = [
            make_trial(number, value=value)
            if value is not None
            else make_trial(number, outcome=failed)
            for number, value in enumerate(values)
        ]
        spec = make_study(trials=policy)
        spec = replace(spec, objectives=(replace(spec.objective, target=0.99),))
        status = plan(make_observation(*trials, spec=spec, exhausted=exhausted)).status
        assert status.ended == (reason is not None)
        assert status.reason is (reason or StudyReason.RUNNING)

    def test_trials_that_run_when_it_ends_are_cancelled(self) -> None:
        """Their results are told and their runs stopped in the same pass; nothing is started."""
        spec = make_study(trials=TrialPolicy(max=9, parallelism=3, max_failed=0))
        runs = (make_run(0, exit=make_exit(1)), make_run(1))
        seen = make_observation(make_trial(0), make_trial(1), make_trial(2), runs=runs, spec=spec)
        tells = planned(seen, TellResult)
        assert [(tell.number, tell.outcome.reason) for tell in tells] == [
            (0, TrialReason.CRASHED),
            (1, TrialReason.CANCELLED),
            (2, TrialReason.CANCELLED),
        ]
        assert [type(action) for action in plan(seen).actions[3:]] == [StopRun, RemoveRun]

    def test_a_cancelled_trial_is_no_failure(self) -> None:
        """Else reaching the target could turn into too many failures a pass later."""
        cancelled = make_outcome(None, state=TrialState.FAILED, reason=TrialReason.CANCELLED)
        spec = make_study(trials=TrialPolicy(max=9, max_failed=0))
        assert not plan(make_observation(make_trial(0, outcome=cancelled), spec=spec)).status.ended

    def test_raising_the_budget_resumes_a_study(self) -> None:
        """The end is a function of what is seen, never stored."""
        trials = [make_trial(number, value=0.5) for number in range(10)]
        assert plan(make_observation(*trials)).status.ended
        larger = plan(make_observation(*trials, spec=make_study(max_trials=11)))
        assert not larger.status.ended
        assert larger.actions == (DrawTrials(1),)


class TestPauses:
    @pytest.mark.parametrize("by", ["suspend", "interrupt"])
    def test_runs_are_stopped_and_nothing_is_told(self, by: str) -> None:
        """Trials stay Running: they go on from their checkpoints."""
        seen = make_observation(
            make_trial(0),
            make_trial(1),
            runs=(make_run(0),),
            spec=make_study(suspend=by == "suspend", parallelism=4),
            interrupted=by == "interrupt",
        )
        (stop,) = plan(seen).actions
        assert isinstance(stop, StopRun)
        assert plan(seen).status.phase == "Suspended"

    def test_a_result_that_arrives_meanwhile_is_told(self) -> None:
        """What was done is not done again."""
        seen = make_observation(make_trial(0), runs=(make_run(0, exit=DONE),), interrupted=True)
        assert [type(action) for action in plan(seen).actions] == [TellResult, RemoveRun]


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


class TestSentences:
    def sentence(self, seen: Observation, reason: EventReason) -> str:
        (message,) = (event.message for event in plan(seen).events if event.reason is reason)
        return message

    def test_a_completion_is_compared_with_the_baseline(self) -> None:
        """Figures first, then how it stands."""
        baseline = make_trial(0, value=0.8, baseline=True)
        seen = make_observation(baseline, make_trial(1), runs=(make_run(1, exit=DONE),))
        assert self.sentence(seen, EventReason.TRIAL_COMPLETED) == (
            "trial 1 Complete: accuracy 0.9, BEST (baseline 0.8, +12.5 %)"
        )

    def test_a_pruned_trial_says_where_and_why(self) -> None:
        """The step and the pruner's figures."""
        spec = make_study(pruner=Pruner(algorithm=PrunerAlgorithm.THRESHOLD, lower=0.5))
        readings = {0: Reading(make_points(0.1, start=4))}
        seen = make_observation(make_trial(0), runs=(make_run(0),), readings=readings, spec=spec)
        said = self.sentence(seen, EventReason.TRIAL_PRUNED)
        assert said.startswith("trial 0 Pruned at step 4: ")

    def test_a_failed_trial_says_its_reason(self) -> None:
        """The reason for programs, the words for people."""
        seen = make_observation(make_trial(3), runs=(make_run(3, exit=make_exit(64)),))
        said = self.sentence(seen, EventReason.TRIAL_FAILED)
        assert said == "trial 3 Failed, BadConfiguration: exit code 64"

    def test_a_launch_names_what_was_drawn(self) -> None:
        """Fixed and derived values are the same or follow."""
        said = self.sentence(make_observation(make_trial(0)), EventReason.TRIAL_LAUNCHED)
        assert said == "trial 0 launched: x=0.5"


class TestManyTrials:
    def test_a_plan_is_a_function_of_what_is_seen(self) -> None:
        """Planned twice, it is the same; what it was made from has not changed."""
        trials = [make_trial(number, value=0.5) for number in range(3)]
        seen = make_observation(*trials, make_trial(3), runs=(make_run(3, exit=DONE),))
        assert plan(seen) == plan(seen)
