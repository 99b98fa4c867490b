"""What every store of trials promises: a test class that each implementation inherits."""

import math
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path

import pytest

from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.faults import SpecChanged
from kubetune.domain.ports import TrialStore
from kubetune.domain.reasons import TrialReason
from kubetune.domain.space import Choice, Condition, Constraint, Derived, Double, Integer, Space
from kubetune.domain.study import (
    InitialTrial,
    OutcomeConstraint,
    Sampler,
    SamplerAlgorithm,
    StudySpec,
)
from kubetune.domain.trial import Outcome, Point, TrialState
from tests.builders import NOW, make_outcome, make_points, make_study
from tests.fakes.clock import FakeClock

_SCOPE = {"x": Kind.DOUBLE, "kind": Kind.STRING, "cycles": Kind.INT, "batch": Kind.INT}

SPACE = Space(
    parameters=(
        Double(name="x", low=0.0, high=1.0),
        Choice(name="kind", values=("plain", "cyclic")),
        Integer(
            name="cycles",
            low=1,
            high=4,
            condition=Condition(compile_expression("kind == 'cyclic'", _SCOPE), 1),
        ),
        Choice(name="batch", values=(8, 16, 32), ordered=True),
    ),
    derived=(Derived("half", compile_expression("batch / 2", _SCOPE)),),
    fixed={"epochs": 3},
    constraints=(
        Constraint(
            name="no-large-cyclic",
            forbid=compile_expression("x > 0.5 && kind == 'cyclic'", _SCOPE),
        ),
    ),
)
TINY = Space(parameters=(Choice(name="a", values=(1, 2)), Choice(name="b", values=("u", "v"))))

GIVEN = {"x": 0.25, "kind": "cyclic", "cycles": 3, "batch": 16}
FAILED = Outcome(TrialState.FAILED, TrialReason.CRASHED, message="exit code 1")


def study(**changes: object) -> StudySpec:
    """A study with a condition, a derived and a fixed value and a hard constraint."""
    return make_study(**({"space": SPACE} | changes))  # type: ignore[arg-type]


class OpenedStore:
    """A subclass gives `open_store`; opened twice on one folder, it is one store."""

    def open_store(
        self, folder: Path, spec: StudySpec, clock: FakeClock
    ) -> AbstractAsyncContextManager[TrialStore]:
        raise NotImplementedError


class StoreContract(OpenedStore):
    """The rules."""

    @pytest.fixture
    async def store(self, tmp_path: Path) -> AsyncIterator[TrialStore]:
        async with self.open_store(tmp_path, study(), FakeClock()) as store:
            yield store

    async def test_is_empty_when_new(self, store: TrialStore) -> None:
        """A new study has no trials."""
        assert await store.trials() == ()

    async def test_draws_as_many_as_asked(self, store: TrialStore) -> None:
        """A draw stores Running trials, numbered from 0 on, and returns just the new ones."""
        first = await store.draw(1)
        second = await store.draw(2)
        assert [trial.number for trial in (*first.trials, *second.trials)] == [0, 1, 2]
        assert await store.trials() == (*first.trials, *second.trials)
        assert not second.exhausted
        assert {trial.state for trial in second.trials} == {TrialState.RUNNING}

    async def test_draws_complete_parameters(self, store: TrialStore) -> None:
        """A trial has every parameter, derived and fixed value; the active ones are named."""
        for trial in (await store.draw(8)).trials:
            cyclic = trial.parameters["kind"] == "cyclic"
            assert trial.parameters.keys() == {"x", "kind", "cycles", "batch", "half", "epochs"}
            assert trial.parameters["half"] == trial.parameters["batch"] // 2  # type: ignore[operator]
            assert trial.active == {"x", "kind", "batch"} | ({"cycles"} if cyclic else set())
            assert trial.created_at == NOW

    async def test_draws_nothing_forbidden(self, store: TrialStore) -> None:
        """No drawn trial matches a hard constraint."""
        for trial in (await store.draw(20)).trials:
            assert trial.parameters["kind"] == "plain" or trial.parameters["x"] <= 0.5  # type: ignore[operator]

    async def test_draws_with_the_fixed_values_of_a_changed_study(self, store: TrialStore) -> None:
        """A fixed value may change during a study; the trials drawn before keep theirs."""
        await store.draw(1)
        await store.follow(study(space=replace(SPACE, fixed={"epochs": 9})))
        await store.draw(1)
        epochs = [trial.parameters["epochs"] for trial in await store.trials()]
        assert epochs == [SPACE.fixed["epochs"], 9]

    async def test_refuses_another_space_once_there_are_trials(self, store: TrialStore) -> None:
        """Trials of two spaces teach nothing about each other; the store goes on as before."""
        await store.draw(1)
        with pytest.raises(SpecChanged):
            await store.follow(study(space=TINY))
        assert (await store.draw(1)).trials[0].parameters.keys() >= {"x", "kind"}

    async def test_follows_another_space_before_the_first_trial(self, store: TrialStore) -> None:
        """Nothing rests on the old one."""
        await store.follow(study(space=TINY))
        assert (await store.draw(1)).trials[0].parameters.keys() == {
            item.name for item in TINY.parameters
        }

    async def test_gives_each_trial_a_seed(self, store: TrialStore) -> None:
        """Seeds of trials differ."""
        assert len({trial.seed for trial in (await store.draw(5)).trials}) == 5

    async def test_ends_when_the_space_is_exhausted(self, tmp_path: Path) -> None:
        """A space of four combinations gives four trials, then none, and says so."""
        sampler = Sampler(algorithm=SamplerAlgorithm.GRID, seed=1)
        spec = study(space=TINY, sampler=sampler)
        async with self.open_store(tmp_path, spec, FakeClock()) as store:
            drawn = await store.draw(6)
            assert len({tuple(trial.parameters.items()) for trial in drawn.trials}) == 4
            assert drawn.exhausted
            again = await store.draw(1)
            assert again.exhausted
            assert again.trials == ()

    async def test_what_was_read_does_not_change(self, store: TrialStore) -> None:
        """Trials read before a write stay as they were."""
        await store.draw(1)
        before = await store.trials()
        await store.tell(0, make_outcome(), None, NOW)
        assert before[0].state is TrialState.RUNNING

    async def test_reads_anew_what_it_wrote(self, store: TrialStore) -> None:
        """Where nobody else writes, that brings nothing else."""
        await store.draw(2)
        await store.tell(0, make_outcome(0.5), NOW, NOW + 1)
        assert await store.trials(anew=True) == await store.trials()

    async def test_adds_an_initial_trial_once(self, store: TrialStore) -> None:
        """An initial trial is known by its name: added again, it is the one that is there."""
        initial = InitialTrial(name="mine", parameters=GIVEN, baseline=True)
        added = await store.add_initial(initial, None)
        again = await store.add_initial(initial, None)
        assert again == added
        assert await store.trials() == (added,)
        assert (added.initial, added.baseline) == ("mine", True)
        assert added.state is TrialState.RUNNING
        assert added.parameters == {**GIVEN, "half": 8, "epochs": 3}

    async def test_imports_a_known_result(self, store: TrialStore) -> None:
        """An initial trial with a known outcome has ended at once, without having run."""
        known = replace(make_outcome(0.7), reason=TrialReason.IMPORTED)
        trial = await store.add_initial(InitialTrial(name="past", parameters=GIVEN), known)
        assert (trial.outcome, trial.started_at, trial.ended_at) == (known, None, NOW)

    async def test_records_points_in_order_of_steps(self, store: TrialStore) -> None:
        """A curve is in order of steps, whatever the order of arrival."""
        await store.draw(1)
        await store.record(0, make_points(0.3, start=3))
        await store.record(0, make_points(0.1, 0.2, start=1))
        assert [point.step for point in (await store.trials())[0].curve] == [1, 2, 3]

    async def test_keeps_the_first_point_of_a_step(self, store: TrialStore) -> None:
        """A step that is there already is left as it is."""
        await store.draw(1)
        await store.record(0, make_points(0.1))
        await store.record(0, (*make_points(0.9), *make_points(0.2, start=2)))
        assert (await store.trials())[0].curve == make_points(0.1, 0.2)

    async def test_keeps_every_metric_of_a_point(self, store: TrialStore) -> None:
        """Points keep all their metrics, fractional steps, and values that are not finite."""
        points = (Point(0.5, {"accuracy": 0.1, "loss": math.inf}), Point(0.75, {"other": -3.0}))
        await store.draw(1)
        await store.record(0, points)
        assert (await store.trials())[0].curve == points

    async def test_keeps_long_curves(self, store: TrialStore) -> None:
        """A curve of hundreds of points, arriving in odd portions, is kept whole."""
        await store.draw(1)
        points = make_points(*(index / 200 for index in range(200)))
        for begin, end in ((0, 1), (1, 63), (63, 65), (65, 190), (190, 200)):
            await store.record(0, points[begin:end])
        assert (await store.trials())[0].curve == points

    async def test_adds_no_points_after_the_end(self, store: TrialStore) -> None:
        """Points that come after a trial's end are ignored."""
        await store.draw(1)
        await store.tell(0, FAILED, None, NOW)
        await store.record(0, make_points(0.1))
        assert (await store.trials())[0].curve == ()

    async def test_notes_the_first_start(self, store: TrialStore) -> None:
        """The first start counts, later attempts do not move it."""
        await store.draw(1)
        await store.started(0, 1, NOW + 1)
        await store.started(0, 2, NOW + 9)
        assert (await store.trials())[0].started_at == NOW + 1

    async def test_other_parameters_begin_a_new_curve(self, store: TrialStore) -> None:
        """What a larger batch reached before it ran out of memory is not the smaller one's."""
        await store.draw(1)
        await store.record(0, make_points(0.9, 0.95))
        await store.retry(0, 2, TrialReason.OUT_OF_MEMORY, {"batch": 4})
        assert (await store.trials())[0].curve == ()
        await store.record(0, make_points(0.4))
        assert (await store.trials())[0].curve == make_points(0.4)

    async def test_the_same_parameters_go_on_with_their_curve(self, store: TrialStore) -> None:
        """A disrupted trial resumes where it was."""
        await store.draw(1)
        await store.record(0, make_points(0.9))
        await store.retry(0, 2, TrialReason.DISRUPTED, {})
        assert (await store.trials())[0].curve == make_points(0.9)

    async def test_retries_with_new_parameters(self, store: TrialStore) -> None:
        """A retry moves the attempt, counts its reason and changes the parameters named."""
        await store.draw(1)
        before = (await store.trials())[0]
        await store.retry(0, 2, TrialReason.OUT_OF_MEMORY, {"batch": 4})
        after = (await store.trials())[0]
        assert (after.attempt, after.out_of_memory, after.disruptions) == (2, 1, 0)
        assert after.parameters == {**before.parameters, "batch": 4}
        await store.retry(0, 3, TrialReason.DISRUPTED, {})
        last = (await store.trials())[0]
        assert (last.attempt, last.out_of_memory, last.disruptions) == (3, 1, 1)
        assert last.parameters == after.parameters

    async def test_counts_no_suspension(self, store: TrialStore) -> None:
        """An attempt after a suspension counts neither as disruption nor as out-of-memory."""
        await store.draw(1)
        await store.retry(0, 2, TrialReason.SUSPENDED, {})
        trial = (await store.trials())[0]
        assert (trial.attempt, trial.disruptions, trial.out_of_memory) == (2, 0, 0)

    async def test_retries_once(self, store: TrialStore) -> None:
        """A retry to an attempt that is reached, or of an ended trial, changes nothing."""
        await store.draw(2)
        await store.retry(0, 2, TrialReason.DISRUPTED, {})
        await store.tell(1, FAILED, None, NOW)
        before = await store.trials()
        await store.retry(0, 2, TrialReason.DISRUPTED, {"batch": 1})
        await store.retry(0, 1, TrialReason.DISRUPTED, {})
        await store.retry(1, 2, TrialReason.DISRUPTED, {})
        assert await store.trials() == before

    @pytest.mark.parametrize(
        "outcome",
        [
            make_outcome(0.5, metrics={"accuracy": 0.5, "loss": math.inf}),
            replace(FAILED, metrics={"accuracy": -math.inf}),
            Outcome(TrialState.PRUNED, TrialReason.PRUNED, "at rung 3", metrics={"accuracy": 0.2}),
        ],
        ids=lambda outcome: outcome.state.value,
    )
    async def test_ends_a_trial(self, store: TrialStore, outcome: Outcome) -> None:
        """A told trial has its outcome and times, exactly as they were told."""
        await store.draw(1)
        assert await store.tell(0, outcome, NOW + 1, NOW + 2.5)
        trial = (await store.trials())[0]
        assert (trial.state, trial.outcome) == (outcome.state, outcome)
        assert (trial.started_at, trial.ended_at, trial.seconds) == (NOW + 1, NOW + 2.5, 1.5)

    async def test_ends_an_infeasible_trial(self, tmp_path: Path) -> None:
        """An infeasible trial keeps its values and how far it broke each constraint."""
        limits = (OutcomeConstraint(metric="black", max=0.1), OutcomeConstraint(metric="ms", max=9))
        outcome = make_outcome(
            0.9,
            state=TrialState.INFEASIBLE,
            reason=TrialReason.OUTCOME_CONSTRAINT_BROKEN,
            constraints=(0.4, -1.0),
        )
        spec = study(outcome_constraints=limits)
        async with self.open_store(tmp_path, spec, FakeClock()) as store:
            await store.draw(1)
            await store.tell(0, outcome, None, NOW)
            assert (await store.trials())[0].outcome == outcome

    async def test_ends_a_trial_once(self, store: TrialStore) -> None:
        """The first end is final: told again, nothing changes and the answer is False."""
        await store.draw(1)
        await store.tell(0, make_outcome(0.4), NOW, NOW + 1)
        before = await store.trials()
        assert not await store.tell(0, FAILED, NOW, NOW + 2)
        assert await store.trials() == before

    async def test_keeps_a_start_that_was_noted(self, store: TrialStore) -> None:
        """A tell without a start time leaves the one that was noted."""
        await store.draw(1)
        await store.started(0, 1, NOW + 1)
        await store.tell(0, make_outcome(), None, NOW + 2)
        assert (await store.trials())[0].started_at == NOW + 1

    @pytest.mark.parametrize(
        "outcome",
        [
            make_outcome(math.inf),
            make_outcome(math.nan),
            make_outcome(None),
            make_outcome(state=TrialState.FAILED),
            make_outcome(state=TrialState.RUNNING),
            make_outcome(constraints=(math.nan,)),
        ],
        ids=["infinite", "nan", "no value", "failed with value", "no end", "nan constraint"],
    )
    async def test_refuses_what_no_sampler_can_learn_from(
        self, store: TrialStore, outcome: Outcome
    ) -> None:
        """An end without one finite value an objective is refused, and the trial goes on."""
        await store.draw(1)
        with pytest.raises(ValueError, match="outcome"):
            await store.tell(0, outcome, None, NOW)
        assert (await store.trials())[0].state is TrialState.RUNNING
