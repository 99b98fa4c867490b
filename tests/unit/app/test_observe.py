"""What a pass reads before it decides."""

from tests.builders import make_study, make_trial
from tests.unit.app.world import World


async def test_a_trial_that_another_operator_began_goes_on() -> None:
    """Its run is seen before its trial is known: the database is read before it is judged."""
    world = World(make_study(max_trials=1))
    world.executor.add(0, 1)
    world.store.elsewhere = (make_trial(0),)
    await world.settle()
    assert world.executor.calls == []
    assert [trial.number for trial in world.store.all] == [0]


async def test_an_attempt_that_is_not_stored_is_asked_about_once() -> None:
    """It is stopped then, and costs no further pass a reading of the database."""
    world = World(make_study(max_trials=1))
    await world.settle()
    world.executor.add(0, 2)
    await world.settle()
    await world.settle()
    assert world.executor.calls == ["launch 0.1", "stop 0.2"]
    assert world.store.calls.count("trials anew") == 1
