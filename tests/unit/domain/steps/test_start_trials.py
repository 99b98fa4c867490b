"""How free slots are filled."""

from dataclasses import replace

import pytest

from kubetune.domain.actions import (
    AddInitialTrial,
    DrawTrials,
    LaunchTrial,
)
from kubetune.domain.planner import plan
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import InitialTrial, TrialPolicy
from kubetune.domain.trial import TrialState
from tests.builders import (
    make_observation,
    make_outcome,
    make_run,
    make_study,
    make_trial,
)
from tests.unit.domain.planned import planned

KNOWN = InitialTrial(name="known", parameters={"x": 0.1}, metrics={"accuracy": 0.2})
FIRST = InitialTrial(name="first", parameters={"x": 0.2}, baseline=True)
SECOND = InitialTrial(name="second", parameters={"x": 0.3})


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
        seen = make_observation(make_trial(0), runs=(make_run(0),), exhausted=frozenset({"search"}))
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

    @pytest.mark.parametrize("state", [TrialState.INFEASIBLE, TrialState.FAILED])
    def test_one_that_is_of_no_use_counts_against_nothing(self, state: TrialState) -> None:
        """It broke its limit before this study: neither trials.max nor maxFailed knows of it."""
        spec = replace(self.spec, trials=TrialPolicy(max=1, max_failed=0), initial_trials=(KNOWN,))
        values = (0.2,) if state is TrialState.INFEASIBLE else ()
        known = make_outcome(state=state, reason=TrialReason.IMPORTED, values=values)
        imported = make_trial(0, initial="known", outcome=known)
        assert planned(make_observation(imported, spec=spec), DrawTrials) == [DrawTrials(1)]

    def test_nothing_is_added_while_nothing_can_be_launched(self) -> None:
        """Known results are imported all the same: they need no run."""
        held = make_observation(spec=self.spec, held="exceeded quota")
        assert planned(held, AddInitialTrial) == [AddInitialTrial("known")]
        assert planned(replace(held, spec=make_study()), DrawTrials) == []

    def test_more_of_them_than_the_budget_are_not_all_run(self) -> None:
        """trials.max holds for them too; known ones are imported all the same."""
        spec = replace(self.spec, trials=TrialPolicy(max=1, parallelism=9))
        names = [action.name for action in planned(make_observation(spec=spec), AddInitialTrial)]
        assert names == ["known", "first"]
