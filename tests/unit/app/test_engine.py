"""The engine over fakes: what a study looks like from outside."""

import asyncio
from itertools import pairwise

import pytest

from kubetune.domain.draw import NoFeasibleDraw
from kubetune.domain.observation import Reading
from kubetune.domain.ports import Drawn, LaunchOrder, StorageUnreachable
from kubetune.domain.reasons import EventReason, StudyReason, TrialReason
from kubetune.domain.status import ConditionType, Truth
from kubetune.domain.study import InitialTrial, TrialPolicy
from kubetune.domain.trial import TrialState
from tests.builders import make_points, make_study
from tests.unit.app.world import STOPPED, World, follow, running


class TestRun:
    async def test_a_study_runs_to_its_end(self) -> None:
        """Every trial is launched, told, removed; the last status says how it ended."""
        world = World(make_study(max_trials=4))
        task = asyncio.create_task(world.engine.run())
        await follow(task, world)
        status = await task
        assert (status.reason, status.counts.complete) == (StudyReason.TRIALS_EXHAUSTED, 4)
        assert world.store.told == [0, 1, 2, 3]
        assert world.executor.all == ()
        assert world.sink.statuses[-1] == status

    async def test_a_drawn_trial_is_launched_before_anything_is_shown(self) -> None:
        """A slot waits for neither the sink nor the house-keeping."""
        world = World(make_study(max_trials=3, parallelism=1))
        await world.settle()
        world.complete(world.executor.find(0), 0.5)
        shown = len(world.sink.statuses)
        await world.engine.reconcile()
        assert len(world.sink.statuses) == shown
        await world.engine.reconcile()
        assert world.executor.calls[-2:] == ["launch 1.1", "remove 0.1"]
        assert len(world.sink.statuses) == shown + 1

    async def test_the_order_of_launch_carries_the_stored_trial(self) -> None:
        """What runs is what the database holds."""
        world = World()
        await world.settle()
        order = world.executor.orders[0]
        assert (order.trial, order.study_uid, order.spec) == (world.store.all[0], "uid", world.spec)

    async def test_an_exhausted_space_ends_the_study(self) -> None:
        """No further trial, and none runs."""
        world = World(make_study(max_trials=9), size=2)
        task = asyncio.create_task(world.engine.run())
        await follow(task, world)
        assert (await task).reason is StudyReason.SPACE_EXHAUSTED

    async def test_a_draw_that_finds_nothing_ends_the_study(self) -> None:
        """When every proposal is turned down there is nothing to wait for."""
        world = World()

        async def draw(count: int, phase: str) -> Drawn:
            raise NoFeasibleDraw({"rule": 10_000})

        world.store.draw = draw  # type: ignore[method-assign]  # this one store is so
        status = await world.engine.run()
        assert status.reason is StudyReason.NO_SUCCESSFUL_TRIAL
        assert "rule (10000)" in world.sink.said(EventReason.DRAW_REJECTED)[0]

    async def test_rejected_draws_are_told_with_their_rule(self) -> None:
        """By constraint, and before which trial."""
        world = World(make_study(max_trials=1))
        world.store.rejected = {"rule": 3}
        plan = await world.settle()
        assert world.sink.said(EventReason.DRAW_REJECTED) == [
            "3 draws turned down by constraint 'rule' before trial 0"
        ]
        assert plan.status.counts.rejected == {"rule": 3}

    async def test_known_results_are_imported_and_compared(self) -> None:
        """An initial trial with metrics never runs."""
        known = InitialTrial(
            name="known", parameters={"x": 0.1}, baseline=True, metrics={"accuracy": 0.5}
        )
        world = World(make_study(initial_trials=(known,), max_trials=1))
        await world.settle()
        assert world.store.all[0].state is TrialState.COMPLETE
        assert [order.trial.number for order in world.executor.orders] == [1]
        assert world.sink.said(EventReason.TRIAL_COMPLETED) == [
            "trial 0 imported: accuracy 0.5, BEST"
        ]

    async def test_an_ended_study_starts_nothing_and_says_nothing_new(self) -> None:
        """Run again, it gives its status."""
        world = World(make_study(max_trials=1))
        task = asyncio.create_task(world.engine.run())
        await follow(task, world)
        said, launched = len(world.sink.events), len(world.executor.orders)
        world.restart()
        assert (await world.engine.run()).ended
        assert (len(world.sink.events), len(world.executor.orders)) == (said, launched)

    async def test_the_end_is_announced_once(self) -> None:
        """With its reason and figures."""
        world = World(make_study(max_trials=1))
        task = asyncio.create_task(world.engine.run())
        await follow(task, world)
        assert len(world.sink.said(EventReason.STUDY_SUCCEEDED)) == 1


class TestInterrupt:
    async def test_trials_are_stopped_and_go_on_with_the_next_engine(self) -> None:
        """Nothing is told, nothing is counted; the next attempt is launched."""
        world = World(make_study(max_trials=2))
        task = await running(world, 2)
        world.engine.interrupt()
        await follow(task, world, STOPPED)
        status = await task
        assert status.reason is StudyReason.INTERRUPTED
        assert world.store.told == []
        assert world.executor.all == ()
        world.restart()
        await world.settle()
        assert [(run.number, run.attempt) for run in world.executor.alive] == [(0, 2), (1, 2)]
        assert world.store.all[0].disruptions == 0

    async def test_a_second_one_kills(self) -> None:
        """Runs that do not stop are ended, and their trials still go on later."""
        world = World(make_study(max_trials=2))
        task = await running(world, 2)
        world.engine.interrupt()
        await asyncio.sleep(0)
        world.engine.interrupt()
        await task
        assert world.executor.alive == ()
        assert world.store.told == []
        assert [world.store.all[number].disruptions for number in range(2)] == [0, 0]

    async def test_before_anything_ran_it_ends_at_once(self) -> None:
        """There is nothing to wait for."""
        world = World()
        world.engine.interrupt()
        assert (await world.engine.run()).reason is StudyReason.INTERRUPTED
        assert world.executor.calls == []

    async def test_a_suspended_study_comes_to_rest(self) -> None:
        """Suspended by its manifest: nothing is drawn, nothing waits for ever."""
        world = World(make_study(suspend=True))
        assert (await world.engine.run()).reason is StudyReason.SUSPENDED


class TestStorageOutage:
    async def test_results_are_told_once_it_is_back(self) -> None:
        """The ended run is kept; nothing is launched meanwhile."""
        world = World(make_study(max_trials=3, parallelism=1))
        await world.settle()
        world.complete(world.executor.find(0), 0.5)
        world.store.down = True
        plan = await world.engine.reconcile()
        reachable = {each.type: each.status for each in plan.status.conditions}
        assert reachable[ConditionType.STORAGE_REACHABLE] is Truth.FALSE
        assert len(world.executor.orders) == 1
        world.store.down = False
        world.clock.advance(31)
        await world.settle()
        assert world.store.told == [0]
        assert len(world.executor.orders) == 2

    async def test_the_drivers_words_are_shown_for_as_long_as_it_is_away(self) -> None:
        """Also on the passes between two tries."""
        world = World(make_study(max_trials=3, parallelism=1))
        await world.settle()
        world.complete(world.executor.find(0), 0.5)
        world.store.tell = _away  # type: ignore[method-assign,assignment]  # away
        for _ in range(3):
            plan = await world.engine.reconcile()
            told = {each.type: each.message for each in plan.status.conditions}
            assert told[ConditionType.STORAGE_REACHABLE].endswith("(away)")

    async def test_nothing_is_announced_that_was_not_stored(self) -> None:
        """The sentence comes with the result."""
        world = World(make_study(max_trials=1))
        await world.settle()
        tell, world.store.tell = world.store.tell, _away  # type: ignore[method-assign,assignment]  # away
        world.complete(world.executor.find(0), 0.5)
        await world.engine.reconcile()
        assert world.sink.said(EventReason.TRIAL_COMPLETED) == []
        world.store.tell = tell  # type: ignore[method-assign]  # and back
        world.clock.advance(31)
        await world.settle()
        assert len(world.sink.said(EventReason.TRIAL_COMPLETED)) == 1

    async def test_it_is_asked_less_and_less_often(self) -> None:
        """1, 2, 4 ... 30 seconds between two tries."""
        world = World()
        tries: list[float] = []

        async def draw(count: int, phase: str) -> Drawn:
            tries.append(world.clock.now())
            return await _away()

        world.store.draw = draw  # type: ignore[method-assign]  # this one store is so
        for _ in range(200):
            await world.engine.reconcile()
            world.clock.advance(0.5)
        gaps = [after - before for before, after in pairwise(tries)]
        assert gaps[:7] == [1, 2, 4, 8, 16, 30, 30]


class TestLaunchTrouble:
    async def test_it_is_tried_again_after_a_while(self) -> None:
        """Trouble of the machine passes; the study goes on."""
        world = World(make_study(max_trials=1))
        world.executor.refuse = _refuse
        await world.engine.reconcile()
        for _ in range(5):
            await world.engine.reconcile()
        assert world.executor.calls == ["launch 0.1"]
        world.executor.refuse = None
        world.clock.advance(2)
        await world.settle()
        assert [run.number for run in world.executor.alive] == [0]

    async def test_trouble_that_does_not_pass_ends_the_trial(self) -> None:
        """After five tries it is Failed, LaunchFailed, with the words of the refusal."""
        world = World(make_study(max_trials=1))
        world.executor.refuse = _refuse
        for _ in range(8):
            await world.engine.reconcile()
            world.clock.advance(31)
        outcome = world.store.all[0].outcome
        assert outcome is not None
        assert outcome.reason is TrialReason.LAUNCH_FAILED
        assert outcome.message == "OSError: no room"
        assert len(world.executor.calls) == 5


class TestReadings:
    async def test_points_are_recorded_at_the_interval(self) -> None:
        """Asked once an interval, beside the loop; shown with the progress."""
        world = World(make_study(max_trials=1))
        await world.settle()
        await asyncio.sleep(0)
        world.metrics.readings[0] = Reading(make_points(0.3), 0.25)
        asked = len(world.metrics.asked)
        await world.settle()
        assert len(world.metrics.asked) == asked
        world.clock.advance(10)
        await world.engine.reconcile()
        await asyncio.sleep(0)
        plan = await world.settle()
        assert world.store.all[0].curve == make_points(0.3)
        assert plan.status.progress == {0: 0.25}

    async def test_a_source_that_raises_is_unreachable(self) -> None:
        """The study goes on without live values, and says so."""
        world = World(make_study(max_trials=1))

        async def read(runs: object) -> dict[int, Reading]:
            raise OSError

        world.metrics.read = read  # type: ignore[method-assign]  # this one is so
        await world.settle()
        await asyncio.sleep(0)
        plan = await world.engine.reconcile()
        reachable = {each.type: each for each in plan.status.conditions}
        assert reachable[ConditionType.METRICS_REACHABLE].status is Truth.FALSE
        assert "(OSError)" in reachable[ConditionType.METRICS_REACHABLE].message

    async def test_a_time_limit_ends_a_silent_trial(self) -> None:
        """A trial that hangs holds its slot no longer than it may."""
        spec = make_study(trials=TrialPolicy(max=1, timeout_seconds=60))
        world = World(spec)
        await world.settle()
        world.clock.advance(61)
        await world.settle()
        assert world.executor.find(0).stopping
        assert world.store.told == [0]


@pytest.mark.parametrize("seconds", [0.0, 1e9])
class TestSetClock:
    """Somebody sets the machine's clock while a study runs, far back or far ahead."""

    async def test_readings_are_asked_for_at_their_interval(self, seconds: float) -> None:
        """Neither at once nor never again."""
        world = World(make_study(max_trials=1))
        await world.settle()
        await asyncio.sleep(0)
        world.clock.time = seconds
        await world.engine.reconcile()
        assert len(world.metrics.asked) == 1
        world.clock.advance(10)
        await world.engine.reconcile()
        await asyncio.sleep(0)
        assert len(world.metrics.asked) == 2

    async def test_a_launch_is_tried_again_as_soon_as_before(self, seconds: float) -> None:
        """Waits are counted by a clock that never jumps."""
        world = World(make_study(max_trials=1))
        world.executor.refuse = _refuse
        await world.engine.reconcile()
        await world.engine.reconcile()
        world.clock.time = seconds
        await world.engine.reconcile()
        assert world.executor.calls == ["launch 0.1"]
        world.clock.advance(1)
        await world.engine.reconcile()
        assert world.executor.calls == ["launch 0.1"] * 2


async def _away(*args: object) -> Drawn:
    raise StorageUnreachable("away")


def _refuse(order: LaunchOrder) -> None:
    raise OSError("no room")
