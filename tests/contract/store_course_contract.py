"""What every store promises of a study's course: phases, narrowing, and runs of the finals."""

from dataclasses import replace
from pathlib import Path

import pytest

from kubetune.domain import course
from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.faults import SpecChanged
from kubetune.domain.ports import TrialStore
from kubetune.domain.reasons import TrialReason
from kubetune.domain.space import Double, Space
from kubetune.domain.study import (
    Gate,
    InitialTrial,
    Narrow,
    Phase,
    Pruner,
    PrunerAlgorithm,
    Sampler,
    SamplerAlgorithm,
    StudySpec,
)
from kubetune.domain.trial import Stage, TrialState
from tests.builders import NOW, make_outcome, make_points
from tests.contract.store_contract import GIVEN, SPACE, TINY, OpenedStore, study
from tests.fakes.clock import FakeClock

WIDE = replace(SPACE, parameters=(*SPACE.parameters, Double(name="dropout", low=0.0, high=0.5)))


def phased(*phases: Phase, space: Space = SPACE, sampler: Sampler | None = None) -> StudySpec:
    """A study with a course: coarse, fine around the best two, wider, unless others are given."""
    sampler = sampler or study().sampler
    given = phases or (
        phase("coarse", trials=6),
        phase("fine", trials=6, narrow=Narrow(around_top=2, shrink=0.3)),
        phase("wide", WIDE),
    )
    return study(space=space, sampler=sampler, phases=given)


def phase(name: str, space: Space = SPACE, **changes: object) -> Phase:
    """A phase that draws at random and prunes nothing."""
    values = {"sampler": study().sampler, "pruner": Pruner()} | changes
    return Phase(name=name, space=space, **values)  # type: ignore[arg-type] # names of fields


async def search(store: TrialStore, phase: str, count: int) -> None:
    """Draws and ends trials; the best are those whose x is near 0.2."""
    for trial in (await store.draw(count, phase)).trials:
        value = 1 - abs(float(trial.parameters["x"]) - 0.2)
        await store.tell(trial.number, make_outcome(value), NOW, NOW + 1)


class StoreCourseContract(OpenedStore):
    """The rules, beside those of `StoreContract`."""

    async def test_each_trial_knows_its_phase(self, tmp_path: Path) -> None:
        """Where a study stands follows from its trials alone."""
        async with self.open_store(tmp_path, phased(), FakeClock()) as store:
            await store.draw(2, "coarse")
            await store.add_initial(InitialTrial(name="mine", parameters=GIVEN), None, "coarse")
            await store.draw(1, "wide")
            phases = [trial.phase for trial in await store.trials()]
        assert phases == ["coarse", "coarse", "coarse", "wide"]

    async def test_a_narrowed_phase_draws_around_the_best(self, tmp_path: Path) -> None:
        """Its draws lie in the range that the leaders of the phase before it give."""
        spec = phased()
        async with self.open_store(tmp_path, spec, FakeClock()) as store:
            await search(store, "coarse", 6)
            space = course.space(spec, spec.phases[1], await store.trials())
            window = space.parameter("x")
            assert isinstance(window, Double)
            assert 0.25 < window.high - window.low < 0.75
            await search(store, "fine", 3)
            await search(store, "fine", 3)
            for trial in (await store.trials())[6:]:
                assert window.low <= float(trial.parameters["x"]) <= window.high

    async def test_a_wider_phase_draws_what_it_adds(self, tmp_path: Path) -> None:
        """Trials of other phases are without the parameter."""
        async with self.open_store(tmp_path, phased(), FakeClock()) as store:
            await search(store, "coarse", 2)
            await search(store, "wide", 2)
            await search(store, "coarse", 1)
            trials = await store.trials()
        assert ["dropout" in trial.parameters for trial in trials] == [False] * 2 + [True] * 2 + [
            False
        ]
        assert all("dropout" in trial.active for trial in trials[2:4])

    async def test_what_an_earlier_phase_tried_is_not_drawn_again(self, tmp_path: Path) -> None:
        """A grid over the same values goes on with those that are left, then it is exhausted."""
        grid = Sampler(algorithm=SamplerAlgorithm.GRID, seed=1)
        gate = Gate(require=compile_expression("trials.total > 0", {"trials": Kind.INTS}))
        first = phase("first", TINY, sampler=grid, trials=3, gate=gate)
        spec = phased(first, phase("second", TINY, sampler=grid), space=TINY, sampler=grid)
        async with self.open_store(tmp_path, spec, FakeClock()) as store:
            await store.draw(3, "first")
            drawn = await store.draw(3, "second")
            trials = await store.trials()
        assert len({tuple(trial.parameters.items()) for trial in trials}) == 4
        assert (len(drawn.trials), drawn.exhausted) == (1, True)

    async def test_a_repeat_is_added_once(self, tmp_path: Path) -> None:
        """A run of the finals is known by what it repeats, its stage and its seed."""
        async with self.open_store(tmp_path, phased(), FakeClock()) as store:
            await search(store, "wide", 2)
            values = {**(await store.trials())[1].parameters, "epochs": 9}
            first = await store.add_repeat(1, Stage.FINALIST, 7, values)
            again = await store.add_repeat(1, Stage.FINALIST, 7, {})
            others = [
                await store.add_repeat(1, Stage.FINALIST, 8, values),
                await store.add_repeat(1, Stage.HELD_OUT, 7, values),
                await store.add_repeat(0, Stage.FINALIST, 7, values),
            ]
            trials = await store.trials()
        assert again == first
        assert trials[2:] == (first, *others)
        assert (first.number, first.repeats, first.stage, first.seed) == (2, 1, Stage.FINALIST, 7)
        assert (first.state, first.phase, first.parameters) == (TrialState.RUNNING, "wide", values)
        assert first.active == trials[1].active

    async def test_a_repeat_that_was_cancelled_is_added_again(self, tmp_path: Path) -> None:
        """It ended with its study; the one that is made in its place counts."""
        async with self.open_store(tmp_path, phased(), FakeClock()) as store:
            await search(store, "wide", 1)
            values = (await store.trials())[0].parameters
            first = await store.add_repeat(0, Stage.FINALIST, 7, values)
            outcome = make_outcome(None, state=TrialState.FAILED, reason=TrialReason.CANCELLED)
            await store.tell(first.number, outcome, NOW, NOW)
            again = await store.add_repeat(0, Stage.FINALIST, 7, values)
            assert await store.add_repeat(0, Stage.FINALIST, 7, values) == again
        assert (first.number, again.number) == (1, 2)

    async def test_a_repeat_ends_as_any_trial(self, tmp_path: Path) -> None:
        """It runs, is retried and told like others, and the search goes on beside it."""
        async with self.open_store(tmp_path, phased(), FakeClock()) as store:
            await search(store, "coarse", 2)
            await store.add_repeat(1, Stage.FINALIST, 7, (await store.trials())[1].parameters)
            await store.retry(2, 2, TrialReason.DISRUPTED, {})
            await store.record(2, make_points(0.4))
            assert await store.tell(2, make_outcome(0.4), NOW, NOW + 1)
            await search(store, "fine", 1)
            trials = await store.trials()
        assert (trials[2].attempt, trials[2].value) == (2, 0.4)
        assert trials[3].phase == "fine"

    @pytest.mark.parametrize(
        "phases",
        [
            (phase("other", trials=6), phase("wide", WIDE)),
            (phase("wide", WIDE), phase("coarse", trials=6)),
            (phase("coarse", trials=6),),
            (phase("coarse", WIDE, trials=6), phase("wide", WIDE)),
            (phase("coarse", trials=6), phase("wide", WIDE, sampler=Sampler(seed=5))),
            (
                phase("coarse", trials=6),
                phase("wide", WIDE, narrow=Narrow(around_top=2, shrink=0.5)),
            ),
        ],
        ids=["renamed", "reordered", "taken out", "parameters", "sampler", "narrowed"],
    )
    async def test_refuses_another_course_once_there_are_trials(
        self, tmp_path: Path, phases: tuple[Phase, ...]
    ) -> None:
        """Trials rest on the phase that they were drawn in."""
        spec = phased(phase("coarse", trials=6), phase("wide", WIDE))
        async with self.open_store(tmp_path, spec, FakeClock()) as store:
            await store.draw(1, "coarse")
            with pytest.raises(SpecChanged):
                await store.follow(replace(spec, phases=phases))

    async def test_a_course_may_become_longer(self, tmp_path: Path) -> None:
        """Further phases, other numbers of trials, gates and pruners: no draw depends on them."""
        gate = Gate(require=compile_expression("trials.total > 0", {"trials": Kind.INTS}))
        pruner = Pruner(algorithm=PrunerAlgorithm.MEDIAN)
        spec = phased(phase("coarse", trials=6))
        longer = phased(phase("coarse", trials=9, gate=gate, pruner=pruner), phase("wide", WIDE))
        async with self.open_store(tmp_path, spec, FakeClock()) as store:
            await store.draw(1, "coarse")
            await store.follow(longer)
            await store.draw(1, "wide")
            assert "dropout" in (await store.trials())[1].parameters
            with pytest.raises(SpecChanged):
                await store.follow(spec)
