"""When a study's results are written, and what becomes of a study whose cannot be."""

import logging
from collections.abc import Callable

import pytest

from kubetune.adapters.kubernetes.api import ApiUnreachable
from kubetune.app.backoff import Backoff
from kubetune.controller.loop import Stop
from kubetune.report import parcel
from tests.unit.controller.world import Running, World, refused, until

CONFIGMAPS = "/configmaps/"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What went wrong is tried again at once."""
    monkeypatch.setattr(Backoff, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(Backoff, "LIMIT_SECONDS", 0.02)


def failing(error: Exception, times: int = 1_000_000) -> Callable[[str, str], None]:
    """So many writes of results go wrong."""
    left = [times]

    def trouble(_: str, path: str) -> None:
        if CONFIGMAPS in path and left[0]:
            left[0] -= 1
            raise error

    return trouble


def written(world: World) -> list[str]:
    return world.asked("PATCH", CONFIGMAPS)


async def ended(world: World) -> None:
    """Follows a study to its end."""
    async with Running(world, world.add()) as it:
        await it.over()
    assert world.status()["phase"] == "Succeeded"


async def test_the_end_is_told_after_the_results() -> None:
    """Who waits for the end finds them; an operator killed between the two writes them again."""
    world = World()
    await ended(world)
    (path,) = written(world)
    assert path == "/api/v1/namespaces/default/configmaps/study-0f3e5a-results"
    order = [each for each in world.requests if each[0] == "PATCH"]
    assert order.index(("PATCH", path)) < len(order) - 1
    assert order[-1][1].endswith("/status")


async def test_until_they_are_written_nothing_tells_of_the_end() -> None:
    """An operator that exits meanwhile leaves a study that goes on, to the next one."""
    world = World()
    away = False

    def trouble(_: str, path: str) -> None:
        nonlocal away
        away = away or CONFIGMAPS in path
        if away:
            raise ApiUnreachable("away")

    world.trouble = trouble
    async with Running(world, world.add()) as it:
        await until(lambda: len(written(world)) > 2)
        assert "completionTime" not in world.status()
        it.loop.stop(Stop.EXITING)
        await it.over()
    assert "completionTime" not in world.status()
    assert world.open_stores == 0
    world.trouble = lambda _, __: None
    await ended(world)


async def test_a_refusal_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """It is asked once more only when there are other results, and holds nothing up."""
    world = World()
    world.trouble = failing(refused(403, "Forbidden", "no right"))
    with caplog.at_level(logging.WARNING):
        await ended(world)
    assert len(written(world)) == 1
    words = "its results are not written: 403 Forbidden: no right; the operator must create"
    assert [words in record.getMessage() for record in caplog.records].count(True) == 1


@pytest.mark.parametrize("times", [2, 1000])
async def test_a_server_that_is_broken_is_asked_a_few_times(times: int) -> None:
    """Then the study's end is told without."""
    world = World()
    world.trouble = failing(refused(500), times)
    await ended(world)
    assert len(written(world)) == min(times + 1, 5)


async def test_a_write_that_gets_lost_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    """While the server answers all else: something on the way lets no large request pass."""
    world = World()
    world.trouble = failing(ApiUnreachable("reset"))
    await ended(world)
    assert len(written(world)) == 5
    assert "its results are not written: no answer: reset" in caplog.text


async def test_results_that_cannot_be_put_together(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault of ours is none of the study's."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(parcel, "pack", broken)
    world = World()
    await ended(world)
    assert not written(world)
    assert "its results are not written: an unexpected error" in caplog.text


async def test_a_study_that_goes_on_is_written_now_and_then() -> None:
    """Once in a while when a trial has ended, and never for nothing."""
    world = World(results_seconds=0.01)
    async with Running(world, world.add(trials={"max": 5000, "parallelism": 1})) as it:
        await until(lambda: len(written(world)) > 1)
        world.ends = False
        await until(lambda: world.children)
        assert "completionTime" not in world.status()
        it.loop.stop(Stop.EXITING)
        await it.over()


async def test_a_paused_study_is_written() -> None:
    """People pause a study to look at it; nothing new is no reason to write again."""
    world = World()
    async with Running(world, world.add(suspend=True)) as it:
        await until(lambda: written(world))
        await until(lambda: it.loop.silent_seconds(1e9) == 0)
        it.loop.saw(world.add(generation=2, suspend=True, guards=[]))
        await until(lambda: world.status().get("observedGeneration") == 2)
        await until(lambda: it.loop.silent_seconds(1e9) == 0)
        assert len(written(world)) == 1
