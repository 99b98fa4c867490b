"""A deleted study leaves a history without trials that seem to run."""

import pytest

from kubetune.app.cancelling import cancel_all
from kubetune.domain.ports import StorageUnreachable
from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import TrialState
from tests.builders import make_points, make_study
from tests.unit.app.world import World


async def test_running_trials_are_told_cancelled() -> None:
    """Ended ones keep their results; what a trial reported stays with it."""
    world = World(make_study(parallelism=2))
    await world.settle()
    world.complete(world.executor.find(0), 0.5)
    await world.settle()
    await world.store.record(1, make_points(0.3))
    assert await cancel_all(world.store, world.clock) == 2
    complete, cancelled, _ = world.store.all
    assert complete.state is TrialState.COMPLETE
    assert cancelled.outcome is not None
    assert cancelled.outcome.reason is TrialReason.CANCELLED
    assert cancelled.outcome.message == "the study was deleted"
    assert cancelled.outcome.metrics == {"accuracy": 0.3}
    assert cancelled.ended_at == world.clock.now()


async def test_it_may_be_repeated() -> None:
    """A second time there is nothing to tell."""
    world = World()
    await world.settle()
    assert await cancel_all(world.store, world.clock) == 2
    assert await cancel_all(world.store, world.clock) == 0


async def test_without_the_database_it_says_so() -> None:
    """Whoever deletes tries again later."""
    world = World()
    await world.settle()
    world.store.down = True
    with pytest.raises(StorageUnreachable):
        await cancel_all(world.store, world.clock)
