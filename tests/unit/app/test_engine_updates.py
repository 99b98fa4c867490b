"""A study that changes while it runs: nothing is lost, nothing is done twice."""

import asyncio
from dataclasses import replace

import pytest

from kubetune.domain.faults import SpecChanged
from kubetune.domain.reasons import EventReason, StudyReason
from kubetune.domain.space import Double, Space
from kubetune.domain.study import TrialPolicy
from kubetune.domain.trial import TrialState
from tests.builders import SPACE, make_study
from tests.unit.app.world import STOPPED, World, follow, running


class TestUpdate:
    async def test_a_larger_budget_resumes_an_ended_study(self) -> None:
        """The next pass sees the new spec."""
        world = World(make_study(max_trials=1))
        task = asyncio.create_task(world.engine.run())
        await follow(task, world)
        assert (await task).ended
        await world.engine.update(make_study(max_trials=2))
        await world.settle()
        assert [run.number for run in world.executor.alive] == [1]

    async def test_a_change_wakes_a_sleeping_engine(self) -> None:
        """Two slots more are filled without any other news."""
        world = World(make_study(parallelism=1))
        task = await running(world, 1)
        await world.engine.update(make_study(parallelism=3))
        await alive(world, 3)
        world.engine.interrupt()
        await follow(task, world, STOPPED)
        await task

    async def test_fewer_slots_end_no_trial(self) -> None:
        """Those that run go on; nothing starts until few enough are left."""
        world = World(make_study(parallelism=3))
        await world.settle()
        await world.engine.update(make_study(parallelism=1))
        await world.settle()
        assert [run.number for run in world.executor.alive] == [0, 1, 2]
        world.complete(world.executor.find(0), 0.5)
        await world.settle()
        assert [run.number for run in world.executor.alive] == [1, 2]

    async def test_a_budget_below_what_runs_lets_it_end(self) -> None:
        """The trials that run are told; then the study has ended."""
        world = World(make_study(max_trials=9, parallelism=3))
        await world.settle()
        await world.engine.update(make_study(max_trials=1, parallelism=3))
        task = asyncio.create_task(world.engine.run())
        await follow(task, world)
        status = await task
        assert (status.reason, status.counts.complete) == (StudyReason.TRIALS_EXHAUSTED, 3)

    async def test_suspended_and_resumed_trials_go_on(self) -> None:
        """No trial is told or counted as disrupted; each goes on with its next attempt."""
        world = World(make_study(max_trials=2))
        task = await running(world, 2)
        await world.engine.update(make_study(max_trials=2, suspend=True))
        await follow(task, world, STOPPED)
        assert (await task).reason is StudyReason.SUSPENDED
        assert len(world.sink.said(EventReason.STUDY_SUSPENDED)) == 1
        await world.engine.update(make_study(max_trials=2))
        await world.settle()
        assert [(run.number, run.attempt) for run in world.executor.alive] == [(0, 2), (1, 2)]
        assert {trial.state for trial in world.store.all} == {TrialState.RUNNING}
        assert [trial.disruptions for trial in world.store.all] == [0, 0]

    async def test_a_changed_space_is_refused_and_changes_nothing(self) -> None:
        """The engine goes on as it was."""
        world = World()
        await world.settle()
        spec = make_study(space=Space(parameters=(Double(name="y", low=0.0, high=1.0),)))
        with pytest.raises(SpecChanged):
            await world.engine.update(spec)
        assert world.engine.spec is world.spec

    async def test_other_fixed_values_open_an_exhausted_space(self) -> None:
        """What could not be drawn before perhaps can be now."""
        world = World(make_study(max_trials=9), size=1)
        task = asyncio.create_task(world.engine.run())
        await follow(task, world)
        assert (await task).reason is StudyReason.SPACE_EXHAUSTED
        world.store.size = None
        spec = make_study(max_trials=9, space=replace(SPACE, fixed={"epochs": 3}))
        await world.engine.update(spec)
        await world.settle()
        assert [run.number for run in world.executor.alive] == [1, 2]

    async def test_a_change_in_the_middle_of_a_pass_waits_for_the_next(self) -> None:
        """A pass is of one study: what it decided is done as it was decided."""
        world = World(make_study(trials=TrialPolicy(max=1)))
        changed = make_study(trials=TrialPolicy(max=1), suspend=True)

        async def runs() -> tuple[()]:
            world.engine.spec = changed
            return ()

        world.executor.runs = runs  # type: ignore[method-assign]  # changes while it is asked
        decided = await world.engine.reconcile()
        assert decided.status.reason is StudyReason.RUNNING
        assert (await world.engine.run()).reason is StudyReason.SUSPENDED


class TestTurning:
    async def test_a_sleep_is_never_longer_than_the_resync(self) -> None:
        """A wake that got lost delays nothing for ever."""
        world = World(make_study(max_trials=1))
        world.restart(resync_seconds=0.01)
        world.engine._alarm.LEAST_SECONDS = 0.0  # type: ignore[misc]  # an impatient one
        world.executor.delayed = True
        task = await running(world, 1)
        world.executor.hidden.clear()
        world.complete(world.executor.find(0), 0.5)
        world.executor._changed.clear()
        await asyncio.wait_for(task, 10)

    async def test_a_watchdog_is_told_of_each_pass(self) -> None:
        """A pass that fails does not count."""
        world, passes = World(), list[float]()
        world.restart(on_pass=passes.append)
        await world.engine.reconcile()
        assert len(passes) == 1
        world.executor.runs = _away  # type: ignore[method-assign]  # the cluster's server is away
        with pytest.raises(OSError, match="away"):
            await world.engine.reconcile()
        assert len(passes) == 1

    async def test_an_observer_is_told_how_long_each_pass_took(self) -> None:
        """In seconds of a clock that never jumps."""
        world, took = World(), list[float]()
        world.restart(on_pass=took.append)
        publish = world.sink.publish

        async def slowly(*args: object) -> None:
            world.clock.advance(0.25)
            world.clock.time += 1e6
            await publish(*args)  # type: ignore[arg-type]  # as it came

        world.sink.publish = slowly  # type: ignore[method-assign]  # a slow one
        await world.settle()
        assert 0.25 in took
        assert max(took) == 0.25

    async def test_after_an_exception_the_engine_goes_on(self) -> None:
        """Whoever drives it calls it again; nothing is left half done."""
        world = World(make_study(max_trials=2))
        runs = world.executor.runs
        world.executor.runs = _away  # type: ignore[method-assign]  # the cluster's server is away
        with pytest.raises(OSError, match="away"):
            await world.engine.run()
        world.executor.runs = runs  # type: ignore[method-assign]  # and back
        task = asyncio.create_task(world.engine.run())
        await follow(task, world)
        assert (await task).counts.complete == 2

    async def test_a_failed_watch_ends_one_run_of_the_loop(self) -> None:
        """What the executor raised is raised once; the next run asks anew."""
        world = World(make_study(max_trials=1))
        changed = world.executor.changed
        world.executor.changed = _away  # type: ignore[method-assign]  # the watch broke
        with pytest.raises(OSError, match="away"):
            await world.engine.run()
        world.executor.changed = changed  # type: ignore[method-assign]  # and is whole
        task = asyncio.create_task(world.engine.run())
        await follow(task, world)
        assert (await task).counts.complete == 1


async def alive(world: World, count: int) -> None:
    """Waits until so many runs are alive."""
    async with asyncio.timeout(10):
        while len(world.executor.alive) != count:  # noqa: ASYNC110 - a fake tells nobody
            await asyncio.sleep(0)


async def _away(*args: object) -> tuple[()]:
    raise OSError("away")
