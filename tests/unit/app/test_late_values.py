"""Values that arrive after their run has ended, as they do from Prometheus."""

import asyncio

from kubetune.domain.observation import Reading
from kubetune.domain.reasons import StudyReason, TrialReason
from kubetune.domain.runs import Exit
from kubetune.domain.trial import TrialState
from tests.builders import make_points, make_study
from tests.unit.app.world import World


async def ended(world: World) -> None:
    """One trial, whose run exits with code 0 and no word."""
    world.metrics.lag_seconds = 15.0
    await world.settle()
    await asyncio.sleep(0)
    world.executor.end(world.executor.find(0), Exit(code=0))
    await turn(world)


async def turn(world: World) -> None:
    """A pass, and the answer to what it asked."""
    await world.engine.reconcile()
    await asyncio.sleep(0)


async def test_an_ended_run_is_asked_about_at_once_and_then_at_the_interval() -> None:
    """The next pass has the answer: a slot waits no longer than it must."""
    world = World(make_study(max_trials=1))
    await ended(world)
    assert world.metrics.asked == [(0,), (0,)]
    await turn(world)
    assert len(world.metrics.asked) == 2
    world.clock.advance(10)
    await turn(world)
    assert len(world.metrics.asked) == 3


async def test_a_late_value_completes_its_trial() -> None:
    """It joins the curve as any other."""
    world = World(make_study(max_trials=1))
    await ended(world)
    assert world.store.told == []
    world.metrics.readings[0] = Reading(make_points(0.7))
    world.clock.advance(10)
    await turn(world)
    await world.settle()
    assert world.store.all[0].value == 0.7
    assert world.executor.all == ()


async def test_a_trial_without_a_value_fails_after_the_lag() -> None:
    """Three intervals, or what the source says if that is more."""
    world = World(make_study(max_trials=1))
    await ended(world)
    world.clock.advance(29)
    await turn(world)
    assert world.store.told == []
    world.clock.advance(1)
    await turn(world)
    outcome = world.store.all[0].outcome
    assert outcome is not None
    assert outcome.reason is TrialReason.METRICS_MISSING


async def test_an_outage_of_metrics_is_waited_out() -> None:
    """The value is there once they are; an outage that does not end is not waited for for ever."""
    world = World(make_study(max_trials=2, parallelism=1))
    world.metrics.down = True
    await ended(world)
    for _ in range(30):
        world.clock.advance(10)
        await turn(world)
    assert world.store.told == []
    world.metrics.down = False
    world.metrics.readings[0] = Reading(make_points(0.7))
    world.clock.advance(10)
    await turn(world)
    await world.settle()
    assert world.store.all[0].state is TrialState.COMPLETE
    world.metrics.down = True
    world.executor.end(world.executor.find(1), Exit(code=0))
    for _ in range(70):
        world.clock.advance(10)
        await turn(world)
    assert world.store.told == [0, 1]


async def test_a_suspended_study_does_not_come_to_rest_before_them() -> None:
    """Hours later the value would be gone."""
    world = World(make_study(max_trials=2, parallelism=1))
    await ended(world)
    await world.engine.update(make_study(max_trials=2, parallelism=1, suspend=True))
    world.metrics.readings[0] = Reading(make_points(0.7))
    task = asyncio.create_task(world.engine.run())
    for _ in range(20):
        await asyncio.sleep(0)
    assert not task.done()
    world.clock.advance(10)
    world.engine._alarm.ring()
    status = await asyncio.wait_for(task, 10)
    assert (status.reason, status.counts.complete) == (StudyReason.SUSPENDED, 1)
