"""Which running trials are not to go on."""

from dataclasses import replace
from typing import Any

import pytest

from kubetune.domain.actions import (
    RecordPoints,
    StopRun,
    TellResult,
)
from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.observation import Observation, Reading
from kubetune.domain.planner import plan
from kubetune.domain.reasons import TrialReason
from kubetune.domain.runs import RunState
from kubetune.domain.study import (
    Guard,
    GuardOutcome,
    Phase,
    Pruner,
    PrunerAlgorithm,
    TrialPolicy,
)
from kubetune.domain.trial import TrialState
from tests.builders import (
    NOW,
    make_observation,
    make_points,
    make_run,
    make_study,
    make_trial,
)
from tests.unit.domain.planned import planned


def guard(when: str) -> Guard:
    """A guard that prunes."""
    expression = compile_expression(when, {"elapsedSeconds": Kind.DOUBLE})
    return Guard(name="rule", when=expression, outcome=GuardOutcome.PRUNED)


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

    def test_each_phase_prunes_as_it_says(self) -> None:
        """With its own pruner, among its own trials: others had other ranges."""
        plain = make_study()
        own = {"space": plain.space, "sampler": plain.sampler}
        median = Pruner(algorithm=PrunerAlgorithm.MEDIAN, startup_trials=1)
        phases = (
            Phase(name="coarse", trials=3, pruner=Pruner(), **own),
            Phase(name="fine", trials=3, pruner=median, **own),
        )
        coarse = [
            make_trial(number, 0.9, phase="coarse", curve=make_points(0.9)) for number in range(3)
        ]
        fine = make_trial(3, 0.2, phase="fine", curve=make_points(0.2))
        for value, pruned in ((0.3, False), (0.1, True)):
            seen = make_observation(
                *coarse,
                fine,
                make_trial(4, phase="fine"),
                runs=(make_run(4),),
                readings={4: Reading(make_points(value))},
                spec=replace(plain, phases=phases),
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

    def test_a_start_in_the_future_is_no_time_at_all(self) -> None:
        """Pods start by the clock of another machine."""
        spec = make_study(
            trials=TrialPolicy(max=1, timeout_seconds=60), guards=(guard("elapsedSeconds < 0.0"),)
        )
        seen = make_observation(
            make_trial(0),
            runs=(make_run(0, started_at=NOW + 30),),
            readings={0: Reading(make_points(0.5))},
            spec=spec,
        )
        assert planned(seen, TellResult) == []


class TestStuck:
    WORDS = "0/2 nodes are available: insufficient nvidia.com/gpu"

    def seen(self, limit: float | None = 60, **changes: Any) -> Observation:
        waits = {
            "state": RunState.PENDING,
            "started_at": None,
            "waiting": self.WORDS,
            "stuck": TrialReason.UNSCHEDULABLE,
            "stuck_since": NOW - 60,
        }
        spec = make_study(trials=TrialPolicy(max=1, pending_timeout_seconds=limit))
        return make_observation(make_trial(0), runs=(make_run(0, **(waits | changes)),), spec=spec)

    @pytest.mark.parametrize(
        ("limit", "changes", "ended"),
        [
            (60, {}, True),
            (61, {}, False),
            (None, {}, False),
            (60, {"stuck": TrialReason.IMAGE_PULL_FAILED}, True),
            (60, {"stuck": TrialReason.NONE, "stuck_since": None}, False),
            (60, {"stuck_since": None}, False),
            (60, {"stuck_since": NOW + 60}, False),
            (60, {"state": RunState.RUNNING, "started_at": NOW}, False),
            (60, {"stopping": True}, False),
        ],
        ids=["due", "early", "never", "image", "queue", "unknown", "skew", "runs", "stopping"],
    )
    def test_a_run_that_cannot_start_ends_its_trial(self, limit, changes, ended) -> None:
        """After trials.pendingTimeoutSeconds, with the executor's reason; a queue may take long."""
        seen = self.seen(limit, **changes)
        reasons = [tell.outcome.reason for tell in planned(seen, TellResult)]
        assert reasons == ([changes.get("stuck", TrialReason.UNSCHEDULABLE)] if ended else [])
        assert len(planned(seen, StopRun)) == ended

    def test_it_says_why_and_how_long(self) -> None:
        """The words of whoever would not start it, then the figures."""
        (tell,) = planned(self.seen(), TellResult)
        assert tell.outcome.message == (
            f"{self.WORDS}; waited 60 s to start, trials.pendingTimeoutSeconds is 60"
        )

    def test_the_status_says_why_trials_wait(self) -> None:
        """By number, and in the sentence of where the study stands."""
        status = plan(self.seen(600)).status
        assert status.waiting == {0: self.WORDS}
        assert status.message == f"1 trial: 1 active; 1 trial waits: {self.WORDS}"

    def test_a_trial_that_has_ended_waits_no_more(self) -> None:
        """Its run may still be there."""
        status = plan(self.seen()).status
        assert (status.waiting, status.waits) == ({}, {})

    def test_waits_are_counted_by_what_is_waited_for(self) -> None:
        """However many there are; a queue is told from a full cluster, and from no Job at all."""
        pending = {"state": RunState.PENDING, "started_at": None}
        full = {"stuck": TrialReason.UNSCHEDULABLE, "stuck_since": NOW}
        runs = (
            make_run(0),
            make_run(1, **pending),
            *(make_run(number, **pending, **full) for number in range(2, 40)),
            make_run(40, **pending, stuck=TrialReason.LAUNCH_FAILED, starting=True),
        )
        spec = make_study(parallelism=42)
        seen = make_observation(*map(make_trial, range(42)), runs=runs, spec=spec)
        assert plan(seen).status.waits == {
            "Queued": 1,
            "Unschedulable": 38,
            "Starting": 1,
            "NotLaunched": 1,
        }
