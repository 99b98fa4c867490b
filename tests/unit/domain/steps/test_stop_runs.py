"""How a study ends and pauses, and what it leaves behind."""

from dataclasses import replace

import pytest

from kubetune.domain.actions import (
    DrawTrials,
    RemoveRun,
    StopRun,
    TellResult,
)
from kubetune.domain.planner import plan
from kubetune.domain.reasons import StudyReason, TrialReason
from kubetune.domain.study import TrialPolicy
from kubetune.domain.trial import TrialState
from tests.builders import (
    make_exit,
    make_observation,
    make_outcome,
    make_run,
    make_study,
    make_trial,
)
from tests.unit.domain.planned import DONE, planned


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
        seen = make_observation(
            *trials, spec=spec, exhausted=frozenset({"search"} if exhausted else ())
        )
        status = plan(seen).status
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
