"""One study's loop, over an API server and a database in memory."""

import logging
from collections.abc import Callable

import pytest
from prometheus_client import generate_latest

from kubetune.adapters.kubernetes.status import ResourceSink
from kubetune.app.backoff import Backoff
from kubetune.controller.loop import Stop, StudyLoop
from kubetune.controller.resource import Resource
from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import TrialState
from tests.unit.controller.world import Running, World, refused, unreachable, until


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What went wrong is tried again at once."""
    monkeypatch.setattr(Backoff, "FIRST_SECONDS", 0.01)
    monkeypatch.setattr(Backoff, "LIMIT_SECONDS", 0.02)


def failing(times: int, method: str, part: str, status: int) -> Callable[[str, str], None]:
    """Refuses so many requests of a kind."""
    left = [times]

    def trouble(verb: str, path: str) -> None:
        if verb == method and part in path and left[0]:
            left[0] -= 1
            raise refused(status)

    return trouble


def condition(world: World, kind: str) -> str:
    found = {each["type"]: each["status"] for each in world.status().get("conditions", ())}
    return found.get(kind, "")


async def test_it_goes_to_the_studys_end() -> None:
    """Then its status tells of it, its Jobs are gone, its store is closed and nothing runs."""
    world = World()
    async with Running(world, world.add()) as it:
        await it.over()
    assert world.status()["phase"] == "Succeeded"
    assert world.status()["trials"]["complete"] == 3
    assert (world.children, world.open_stores) == ({}, 0)
    assert not it.loop.deleted
    assert not it.loop.changed


@pytest.mark.parametrize("status", [409, 422, 500])
async def test_it_stays_until_its_studys_end_is_told(status: int) -> None:
    """A loop that went earlier would leave a status that says Running for ever."""
    world = World()
    world.trouble = failing(8, "PATCH", "/status", status)
    async with Running(world, world.add()) as it:
        await it.over()
    assert world.status()["phase"] == "Succeeded"


async def test_who_waits_to_tell_an_end_hurries_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An API server that takes no status is not asked five times a second for ever."""
    flush, hurries = ResourceSink.flush, []

    async def impatient(self: ResourceSink, *, hurried: bool = True) -> bool:
        hurries.append(hurried)
        return await flush(self, 0.02, hurried=hurried)

    monkeypatch.setattr(ResourceSink, "flush", impatient)
    world = World()
    world.trouble = failing(1000, "PATCH", "/status", 403)
    async with Running(world, world.add()) as it:
        await until(lambda: len(hurries) > 3)
        world.trouble = lambda _, __: None
        await it.over()
    assert hurries[:4] == [True, False, False, False]


async def test_an_invalid_study_rests_until_its_spec_changes() -> None:
    """All that while it counts as well, and nothing of it is stored."""
    world = World()
    async with Running(world, world.add(sampler={"algorithm": "TPE", "seed": -1})) as it:
        await until(lambda: world.status().get("phase") == "Invalid")
        assert it.loop.silent_seconds(1e9) == 0
        assert b'kubetune_studies{phase="Invalid"} 1.0' in generate_latest(world.exporter.registry)
        it.loop.saw(world.add(generation=2))
        await it.over()
    assert world.status()["observedGeneration"] == 2
    assert world.status()["phase"] == "Succeeded"


async def test_an_invalid_study_counts_after_a_restart_too() -> None:
    """Nothing is written or told a second time, but its series are there again."""
    world = World()
    study = world.add(sampler={"algorithm": "TPE", "seed": -1})
    async with Running(world, study):
        await until(lambda: world.status().get("phase") == "Invalid")
        await until(lambda: world.asked("POST", "/events"))
    world.exporter.removed("default", "study")
    again = Resource.of(world.studies["study"])
    async with Running(world, again) as it:
        await until(lambda: it.loop.silent_seconds(1e9) == 0)
        assert b'kubetune_studies{phase="Invalid"} 1.0' in generate_latest(world.exporter.registry)
    assert len(world.asked("PATCH")) == 1
    assert len(world.asked("POST", "/events")) == 1


async def test_a_study_that_goes_on_without_its_database_has_not_ended() -> None:
    """An operator that is restarted meanwhile would leave it alone for ever."""
    world = World()
    async with Running(world, world.add()) as it:
        await it.over()
    assert Resource.of(world.studies["study"]).ended
    before = world.status()
    world.storage_trouble = unreachable
    world.add(generation=2, trials={"max": 5, "parallelism": 2}, status=before)
    async with Running(world, Resource.of(world.studies["study"])):
        await until(lambda: condition(world, "StorageReachable") == "False")
    assert not Resource.of(world.studies["study"]).ended


async def test_a_database_that_does_not_know_the_study_is_not_used() -> None:
    """With another one its trials that run would be stopped, and all be drawn anew."""
    world = World()
    world.ends = False
    async with Running(world, world.add()):
        await until(lambda: world.status().get("trials", {}).get("total") == 2)
        await until(lambda: len(world.children) == 2)
    known, before = dict(world.stores), dict(world.children)
    world.stores.clear()
    async with Running(world, Resource.of(world.studies["study"])) as it:
        await until(lambda: condition(world, "StorageReachable") == "False")
        assert "its status counts 2: start the operator with the database that" in str(
            world.status()["conditions"]
        )
        assert world.status()["trials"]["total"] == 2
        assert world.children == before
        world.ends = True
        world.stores.update(known)
        await until(lambda: condition(world, "StorageReachable") == "True")
        assert not it.loop.deleted


async def test_the_log_says_whose_trial_is_stopped(caplog: pytest.LogCaptureFixture) -> None:
    """Of several studies each has a trial 0."""
    caplog.set_level(logging.INFO, "kubetune")
    world = World()
    world.ends = False
    async with Running(world, world.add()) as it:
        await until(lambda: len(world.children) == 2)
        it.loop.saw(world.add(generation=2, suspend=True))
        words = "default/study: trial 0, attempt 1 is stopped: the study is suspended"
        await until(lambda: words in caplog.messages)


async def test_a_template_that_the_server_refuses_makes_it_invalid() -> None:
    """In the server's words, before any trial is drawn."""
    world = World()
    world.trouble = failing(1000, "POST", "/jobs", 422)
    async with Running(world, world.add()):
        await until(lambda: condition(world, "Valid") == "False")
        assert "as a test asked" in str(world.status()["conditions"])
        assert not world.stores
        await until(lambda: len(world.asked("POST", "dryRun")) > 3)
    assert len(world.asked("PATCH")) == 1
    assert len(world.asked("POST", "/events")) == 1


async def test_what_the_server_refused_it_is_asked_again() -> None:
    """A policy was in the way, and is not any more: nobody has to touch the study for that."""
    world = World()
    world.trouble = failing(3, "POST", "/jobs", 403)
    async with Running(world, world.add()) as it:
        await it.over()
    assert world.status()["phase"] == "Succeeded"
    assert condition(world, "Valid") == "True"


async def test_a_changed_spec_begins_the_work_anew() -> None:
    """Two more trials; those that there are stay."""
    world = World()
    world.ends = False
    async with Running(world, world.add()) as it:
        await until(lambda: len(world.children) == 2)
        it.loop.saw(world.add(generation=2, trials={"max": 5, "parallelism": 4}))
        await until(lambda: len(world.children) == 4)
        await until(lambda: world.status().get("observedGeneration") == 2)
    assert world.status()["trials"]["active"] == 4


async def test_a_state_of_the_same_generation_changes_nothing() -> None:
    """Its own status comes back as an event: the work goes on."""
    world = World()
    world.ends = False
    async with Running(world, world.add()) as it:
        await until(lambda: len(world.children) == 2)
        it.loop.saw(world.add())
        assert not it.loop.changed
    assert len(world.asked("POST", "dryRun")) == 1


async def test_an_older_state_is_no_change() -> None:
    """An answer may be older than what a watch has told since: the newer spec is followed on."""
    world = World()
    world.ends = False
    older = world.add(trials={"max": 1, "parallelism": 1})
    async with Running(world, world.add(generation=2)) as it:
        await until(lambda: len(world.children) == 2)
        it.loop.saw(older)
        assert not it.loop.changed
        assert it.loop.resource.generation == 2


async def test_without_its_database_it_says_so_and_goes_on_later() -> None:
    """Nothing is launched meanwhile; each try that failed is counted."""
    world = World()
    world.storage_trouble = unreachable
    async with Running(world, world.add()) as it:
        await until(lambda: condition(world, "StorageReachable") == "False")
        assert "connection refused" in str(world.status()["conditions"])
        assert world.children == {}
        world.storage_trouble = lambda: None
        await it.over()
    assert condition(world, "StorageReachable") == "True"
    shown = generate_latest(world.exporter.registry).decode()
    assert 'kubetune_reconciles_total{namespace="default",result="error",study="study"}' in shown


async def test_an_unexpected_error_is_logged_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Of whatever kind: no study stands still for it."""
    world, left = World(), [2]

    def trouble() -> None:
        if left[0]:
            left[0] -= 1
            raise ZeroDivisionError

    world.storage_trouble = trouble
    with caplog.at_level(logging.ERROR):
        async with Running(world, world.add()) as it:
            await it.over()
    assert caplog.text.count("default/study: an unexpected error; tried again") == 2


async def test_told_to_exit_it_lets_trials_go_on() -> None:
    """Its last words are written, no Job is deleted, no trial's state is changed."""
    world = World()
    world.ends = False
    async with Running(world, world.add()) as it:
        await until(lambda: len(world.children) == 2)
        it.loop.stop(Stop.EXITING)
        await it.over()
    assert world.status()["trials"]["active"] == 2
    assert not world.asked("DELETE")
    (store,) = world.stores.values()
    assert {trial.state for trial in await store.trials()} == {TrialState.RUNNING}
    assert world.open_stores == 0


async def test_the_trials_of_a_deleted_study_are_cancelled() -> None:
    """Its Jobs go with it by themselves; its history holds no trial that seems to run."""
    world = World()
    world.ends = False
    async with Running(world, world.add()) as it:
        await until(lambda: len(world.children) == 2)
        it.loop.stop(Stop.DELETED)
        await it.over()
    (store,) = world.stores.values()
    reasons = {trial.outcome and trial.outcome.reason for trial in await store.trials()}
    assert reasons == {TrialReason.CANCELLED}
    assert not world.asked("DELETE")
    assert world.open_stores == 0


async def test_a_deleted_study_does_not_wait_for_its_database_for_ever(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some tries its trials are left as they are, which is said."""
    monkeypatch.setattr(StudyLoop, "CANCEL_TRIES", 2)
    world = World()
    world.storage_trouble = unreachable
    async with Running(world, world.add()) as it:
        await until(lambda: condition(world, "StorageReachable") == "False")
        it.loop.stop(Stop.DELETED)
        await it.over()
    assert "its last trials stay Running in the database" in caplog.text


async def test_a_deletion_that_no_watch_told_of_is_noticed() -> None:
    """The next status cannot be written: the loop ends as if it had been told."""
    world = World()
    world.ends = False
    async with Running(world, world.add()) as it:
        await until(world.status)
        world.studies.clear()
        world.ends = True
        world.children.clear()
        it.loop.wake()
        await it.over()
    assert it.loop.deleted


async def test_a_loop_that_hangs_is_silent() -> None:
    """The watchdog's view: work that neither ends nor fails; a try that failed is no silence."""
    world = World()
    world.storage_trouble = unreachable
    clock = world.services.clock
    async with Running(world, world.add()) as it:
        await until(lambda: len(world.asked("POST", "dryRun")) > 1)
        assert it.loop.silent_seconds(clock.monotonic()) < 30
        assert it.loop.silent_seconds(clock.monotonic() + 400) > 300
