"""Actions that cannot be carried out: what waits for them, and what does not."""

import asyncio

import pytest

from kubetune.domain.ports import ExecutorBusy, LaunchOrder
from kubetune.domain.reasons import EventReason
from kubetune.domain.trial import TrialState
from tests.builders import make_study
from tests.fakes.executor import Away
from tests.unit.app.world import World, follow

BUSY = "exceeded quota: pods, used: 2, limited: 2"


def _busy(order: LaunchOrder) -> None:
    raise ExecutorBusy(BUSY)


class TestUnreachable:
    async def test_results_are_told_while_the_executor_is_away(self) -> None:
        """The database does not wait for the cluster; the run is kept until it can be removed."""
        world = World(make_study(max_trials=2, parallelism=1))
        await world.settle()
        world.executor.away = Away.YES
        world.complete(world.executor.find(0), 0.5)
        for _ in range(3):
            await world.engine.reconcile()
        assert world.store.told == [0]
        assert len(world.executor.all) == 1
        world.executor.away = Away.NO
        world.clock.advance(31)
        await world.settle()
        assert [run.number for run in world.executor.all] == [1]

    async def test_it_is_asked_once_and_then_less_and_less_often(self) -> None:
        """64 launches that each wait for an answer would hold a pass up for half an hour."""
        world = World(make_study(parallelism=3))
        world.executor.away = Away.YES
        for _ in range(40):
            await world.engine.reconcile()
            world.clock.advance(0.5)
        assert 4 <= len(world.executor.calls) <= 6

    async def test_no_trial_fails_for_it(self) -> None:
        """However long it takes; and nothing is drawn that cannot be launched."""
        world = World(make_study(parallelism=3))
        await world.engine.reconcile()
        world.executor.away = Away.YES
        for _ in range(50):
            await world.engine.reconcile()
            world.clock.advance(31)
        assert {trial.state for trial in world.store.all} == {TrialState.RUNNING}
        assert len(world.store.all) == 1
        world.executor.away = Away.NO
        world.clock.advance(31)
        await world.settle()
        assert len(world.executor.alive) == 3

    async def test_a_lost_answer_doubles_nothing(self) -> None:
        """What was done is found to be done."""
        world = World(make_study(max_trials=1))
        world.executor.away = Away.LOST
        for _ in range(5):
            await world.engine.reconcile()
            world.clock.advance(31)
        assert [run.number for run in world.executor.all] == [0]
        assert world.executor.calls == ["launch 0.1"]

    async def test_a_launch_that_was_not_made_is_not_announced(self) -> None:
        """It is when it was."""
        world = World(make_study(max_trials=1))
        world.executor.away = Away.YES
        for _ in range(3):
            await world.engine.reconcile()
        assert world.sink.said(EventReason.TRIAL_LAUNCHED) == []
        world.executor.away = Away.NO
        world.clock.advance(31)
        await world.settle()
        assert len(world.sink.said(EventReason.TRIAL_LAUNCHED)) == 1


class TestBusy:
    async def test_no_room_is_waited_out(self) -> None:
        """A quota may be used up for hours: no trial fails for it, the status says it."""
        world = World(make_study(parallelism=3))
        world.executor.refuse = _busy
        for _ in range(60):
            decided = await world.engine.reconcile()
            world.clock.advance(31)
        decided = await world.engine.reconcile()
        decided = await world.engine.reconcile()
        assert {trial.state for trial in world.store.all} == {TrialState.RUNNING}
        assert decided.status.waiting == {0: BUSY}
        assert decided.status.message == f"1 trial: 1 active; 1 trial waits: {BUSY}"
        world.executor.refuse = None
        world.clock.advance(31)
        await world.settle()
        assert len(world.executor.alive) == 3

    async def test_one_launch_stands_for_all(self) -> None:
        """Where one found no room the others are not tried."""
        world = World(make_study(parallelism=3))
        await world.settle()
        for run in world.executor.alive:
            world.executor.vanish(run)
        world.executor.refuse = _busy
        calls = len(world.executor.calls)
        await world.engine.reconcile()
        assert world.executor.calls[calls:] == ["launch 0.1"]

    async def test_room_is_looked_for_as_soon_as_a_run_has_gone(self) -> None:
        """A slot does not wait for a back-off."""
        world = World(make_study(parallelism=2))
        await world.settle()
        world.executor.vanish(world.executor.find(1))
        world.executor.refuse = _busy
        for _ in range(6):
            await world.engine.reconcile()
            world.clock.advance(10)
        world.executor.refuse = None
        await world.engine.reconcile()
        world.complete(world.executor.find(0), 0.5)
        await world.settle()
        assert [run.number for run in world.executor.alive] == [1, 2]


class TestErrors:
    async def test_one_action_that_fails_stops_no_other(self) -> None:
        """The first exception is raised once everything else has had its turn."""
        world = World(make_study(max_trials=4, parallelism=2))
        await world.settle()
        remove = world.executor.remove

        async def failing(number: int, attempt: int, uid: str) -> None:
            if number == 0:
                raise PermissionError("forbidden")
            await remove(number, attempt, uid)

        world.executor.remove = failing  # type: ignore[method-assign]  # for one trial
        for run in world.executor.alive:
            world.complete(run, 0.5)
        with pytest.raises(PermissionError):
            await world.settle()
        assert [run.number for run in world.executor.all] == [0, 2, 3]
        assert world.store.told == [0, 1]
        assert len(world.sink.said(EventReason.TRIAL_COMPLETED)) == 2

    async def test_a_run_whose_result_was_not_stored_is_kept(self) -> None:
        """Removed, its trial would be run a second time."""
        world = World(make_study(max_trials=1))
        await world.settle()
        tell = world.store.tell

        async def failing(*args: object) -> bool:
            raise ValueError("a bug")

        world.store.tell = failing  # type: ignore[method-assign,assignment]  # a broken one
        world.complete(world.executor.find(0), 0.5)
        with pytest.raises(ValueError, match="a bug"):
            await world.engine.reconcile()
        assert len(world.executor.all) == 1
        assert world.sink.said(EventReason.TRIAL_COMPLETED) == []
        world.store.tell = tell  # type: ignore[method-assign]  # and mended
        await world.settle()
        assert len(world.sink.said(EventReason.TRIAL_COMPLETED)) == 1

    async def test_news_that_could_not_be_published_come_with_the_next_pass(self) -> None:
        """A sink that fails loses nothing of what happened."""
        world = World(make_study(max_trials=1))
        publish = world.sink.publish

        async def failing(*args: object) -> None:
            raise OSError("no sink")

        world.sink.publish = failing  # type: ignore[method-assign]  # for one pass
        with pytest.raises(OSError, match="no sink"):
            await world.settle()
        world.sink.publish = publish  # type: ignore[method-assign]  # and back
        await world.settle()
        assert len(world.sink.said(EventReason.TRIAL_LAUNCHED)) == 1


class TestAtOnce:
    async def test_answers_are_waited_for_together(self) -> None:
        """A pass takes as long as one answer: no slot waits for those of the others."""
        world = World(make_study(max_trials=4, parallelism=4))
        world.restart(at_once=4)
        world.executor.together = asyncio.Barrier(4)
        async with asyncio.timeout(30):
            await world.settle()
        assert sorted(run.number for run in world.executor.alive) == [0, 1, 2, 3]

    async def test_a_drawn_trial_is_launched_in_the_same_pass(self) -> None:
        """Its slot does not wait for the answers of others; its launch is announced once."""
        world = World(make_study(max_trials=4, parallelism=4))
        world.restart(at_once=4)
        await world.engine.reconcile()
        assert len(world.executor.alive) == 4
        await world.settle()
        assert len(world.sink.said(EventReason.TRIAL_LAUNCHED)) == 4

    async def test_a_study_that_adds_trials_all_the_time_is_shown(self) -> None:
        """Its status lags behind by a second or so, not until it rests."""
        world = World(make_study(max_trials=100, parallelism=2))
        world.restart(at_once=4)
        await world.settle()
        for _ in range(5):
            for run in world.executor.alive:
                world.complete(run, 0.5)
            await world.engine.reconcile()
            world.clock.advance(0.4)
        assert world.sink.statuses[-1].counts.complete >= 6

    async def test_no_more_at_once_than_it_says(self) -> None:
        """An API server is not flooded by a large study."""
        world = World(make_study(max_trials=4, parallelism=4))
        world.restart(at_once=2)
        world.executor.together = asyncio.Barrier(3)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await world.settle()

    async def test_results_come_before_all_else(self) -> None:
        """What is not stored is not removed, and what is drawn next has learnt from it."""
        world = World(make_study(max_trials=4, parallelism=2))
        world.restart(at_once=4)
        await world.settle()
        world.store.down = True
        for run in world.executor.alive:
            world.complete(run, 0.5)
        for _ in range(3):
            await world.engine.reconcile()
        assert len(world.executor.all) == 2
        world.store.down = False
        world.clock.advance(31)
        calls = len(world.store.calls)
        await world.settle()
        assert world.store.calls[calls:] == ["tell 0", "tell 1", "draw 2"]

    async def test_after_trouble_one_is_tried_alone(self) -> None:
        """A cluster that has no room, or does not answer, is not asked for all at once."""
        world = World(make_study(parallelism=4))
        world.restart(at_once=4)
        for trouble in ("busy", "away"):
            world.executor.refuse = _busy if trouble == "busy" else None
            world.executor.away = Away.YES if trouble == "away" else Away.NO
            await world.engine.reconcile()
            await world.engine.reconcile()
            world.clock.advance(31)
            calls = len(world.executor.calls)
            await world.engine.reconcile()
            assert len(world.executor.calls) == calls + 1
            world.executor.refuse, world.executor.away = None, Away.NO
            world.clock.advance(31)
            await world.settle()
            for run in world.executor.alive:
                world.executor.vanish(run)

    @pytest.mark.parametrize("trouble", ["busy", "away"])
    async def test_answers_that_fail_together_are_one_failure(self, trouble: str) -> None:
        """Four of them say no more than one: it is tried again as soon."""
        world = World(make_study(parallelism=4))
        world.restart(at_once=4)
        await world.engine.reconcile()
        world.executor.refuse = _busy if trouble == "busy" else None
        world.executor.away = Away.YES if trouble == "away" else Away.NO
        await world.engine.reconcile()
        world.executor.refuse, world.executor.away = None, Away.NO
        world.clock.advance(1)
        await world.settle()
        assert len(world.executor.alive) == 4

    async def test_a_removal_that_takes_long_holds_up_no_slot(self) -> None:
        """The next trial begins while the Job of the last one is still being deleted."""
        world = World(make_study(max_trials=3, parallelism=1))
        world.restart(at_once=4)
        await world.settle()
        world.executor.removing = asyncio.Event()
        for number in range(2):
            world.complete(world.executor.find(number), 0.5)
            for _ in range(4):
                await world.engine.reconcile()
        assert [run.number for run in world.executor.alive] == [2]
        assert world.executor.calls.count("remove 0.1") == 0
        world.executor.removing.set()
        await world.settle()
        assert [run.number for run in world.executor.all] == [2]

    async def test_an_engine_ends_when_its_last_runs_are_removed(self) -> None:
        """Nothing is left behind; each run was removed once."""
        world = World(make_study(max_trials=6, parallelism=3))
        world.restart(at_once=4)
        task = asyncio.create_task(world.engine.run())
        await follow(task, world)
        assert world.executor.all == ()
        calls = [call for call in world.executor.calls if call.startswith("remove")]
        assert sorted(calls) == [f"remove {number}.1" for number in range(6)]

    async def test_what_goes_wrong_with_the_last_removal_is_raised(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whoever runs the engine says so and tries again: no run is left behind in silence."""
        world = World(make_study(max_trials=1))
        world.restart(at_once=4)
        await world.settle()
        world.complete(world.executor.find(0), 0.5)

        async def remove(number: int, attempt: int, uid: str) -> None:
            for _ in range(100):
                await asyncio.sleep(0)
            raise PermissionError(f"may not delete {number}.{attempt} of {uid}")

        with monkeypatch.context() as patch:
            patch.setattr(world.executor, "remove", remove)
            with pytest.raises(PermissionError, match=r"may not delete 0\.1"):
                await world.engine.run()
        await world.engine.run()
        assert world.executor.all == ()
