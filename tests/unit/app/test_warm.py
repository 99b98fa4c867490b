"""Earlier results are taken over once, when a study begins."""

from dataclasses import replace

import pytest

from kubetune.app.warm import warmed
from kubetune.domain.faults import InvalidSpec
from kubetune.domain.study import Direction, EarlierStudy, StudySpec, WarmStart
from kubetune.domain.warm_start import Earlier
from tests.builders import make_study, make_trial
from tests.fakes.fuse import Crash, Fuse
from tests.unit.app.world import World

SAME = (("accuracy", Direction.MAXIMIZE),)
FOUND = Earlier(objectives=SAME, trials=(make_trial(3, 0.9), make_trial(4, 0.8)))


def wanting(*names: str) -> StudySpec:
    studies = tuple(EarlierStudy(name=name) for name in names)
    return make_study(max_trials=3, warm_start=WarmStart(studies=studies))


async def read(name: str) -> Earlier | None:
    objectives = (("loss", Direction.MINIMIZE),)
    return {"old": FOUND, "other": replace(FOUND, objectives=objectives)}.get(name)


async def test_a_study_begins_with_what_others_found() -> None:
    """As known results: they use up nothing, and the best of them leads."""
    world = World(wanting("old"))
    spec, said = await warmed(world.spec, world.store, read)
    assert said == ["2 trials of old are taken over"]
    world.spec = spec
    world.restart()
    plan = await world.settle()
    assert [trial.initial for trial in world.store.all[:2]] == ["old.3", "old.4"]
    assert plan.status.best == world.store.all[0]
    assert len(world.executor.alive) == 2


async def test_it_is_done_once() -> None:
    """A study that holds some goes on with them, though the earlier one is gone."""
    world = World(wanting("old"))
    world.spec, _ = await warmed(world.spec, world.store, read)
    world.restart()
    await world.settle()
    spec, said = await warmed(wanting("old"), world.store, lambda _: read("gone"))
    assert (spec.initial_trials, said) == ((), [])


async def test_a_study_that_was_killed_amid_them_takes_over_the_rest() -> None:
    """None of them twice; where the earlier study is gone by then, it goes on with what it has."""
    world = World(wanting("old"))
    world.spec, _ = await warmed(world.spec, world.store, read)
    fuse = Fuse(1)
    world.restart(store=fuse.around(world.store))
    with pytest.raises(Crash):
        await world.engine.reconcile()
    assert [trial.initial for trial in world.store.all] == ["old.3"]
    gone, said = await warmed(wanting("old"), world.store, lambda _: read("gone"))
    assert (gone.initial_trials, said) == ((), [])
    world.spec, _ = await warmed(wanting("old"), world.store, read)
    world.restart()
    await world.settle()
    assert [trial.initial for trial in world.store.all[:3]] == ["old.3", "old.4", ""]


async def test_what_is_not_there_is_a_fault() -> None:
    """All at once: no such study, other objectives."""
    spec = wanting("old", "gone", "other")
    with pytest.raises(InvalidSpec) as refused:
        await warmed(spec, World(spec).store, read)
    gone, other = map(str, refused.value.faults)
    assert gone == "spec.warmStart.studies[1].name: no study 'gone' is stored here: write another"
    assert other == (
        "spec.warmStart.studies[2].name: 'other' had other objectives:"
        " Minimize loss there, Maximize accuracy here"
    )


async def test_without_a_wish_nothing_is_read() -> None:
    """Most studies begin from nothing."""
    world = World()
    assert await warmed(world.spec, world.store, read) == (world.spec, [])
