"""Which studies have a loop, and what is kept of those that have none."""

import asyncio
import gc
import logging
import weakref
from typing import Any, cast

import pytest

from kubetune.adapters.kubernetes.reference import Reference
from kubetune.controller.loop import Stop, StudyLoop
from kubetune.controller.resource import Resource
from kubetune.controller.studies import Studies
from tests.unit.controller.world import make_body, until

ENDED = {"completionTime": "2026-01-01T00:00:00Z", "observedGeneration": 1}


class Loop:
    """A loop that does nothing until `finish` or `stop`."""

    def __init__(self, resource: Resource) -> None:
        self.resource = resource
        self.stops: list[Stop] = []
        self.woken = 0
        self.changed = False
        self.error: Exception | None = None
        self.silent = 0.0
        self._over = asyncio.Event()

    @property
    def deleted(self) -> bool:
        return Stop.DELETED in self.stops

    def saw(self, resource: Resource) -> None:
        self.resource = resource

    def wake(self) -> None:
        self.woken += 1

    def stop(self, why: Stop) -> None:
        self.stops.append(why)
        self.finish()

    def finish(self, error: Exception | None = None) -> None:
        self.error = error
        self._over.set()

    def silent_seconds(self, now: float) -> float:
        return self.silent

    async def stopped(self, timeout_seconds: float) -> None:
        await asyncio.sleep(0)

    async def run(self) -> None:
        await self._over.wait()
        if self.error:
            raise self.error


class Desk:
    """Studies whose loops are played, and what was said of them."""

    def __init__(self, known: dict[str, Reference] | None = None) -> None:
        self.loops: list[Loop] = []
        self.removed: list[Reference] = []
        self.resting: list[Resource] = []
        self.studies = Studies(self._begin, self.removed.append, self.resting.append, known or {})

    def _begin(self, resource: Resource) -> StudyLoop:
        self.loops.append(Loop(resource))
        return cast("StudyLoop", self.loops[-1])

    async def idle(self) -> None:
        await until(lambda: not self.studies._tasks)


def body(uid: str = "a", **changes: Any) -> dict[str, Any]:
    return make_body(uid=uid, **changes)


async def test_a_study_with_work_has_one_loop() -> None:
    """However often it is seen; its Jobs wake it and no other."""
    desk = Desk()
    desk.studies.saw(body("a"))
    desk.studies.saw(body("a"))
    desk.studies.saw(body("b", name="other"))
    desk.studies.wake("a")
    desk.studies.wake("nobody")
    assert len(desk.studies) == 2
    assert [loop.woken for loop in desk.loops] == [1, 0]
    await desk.studies.close()


async def test_an_ended_study_has_none_until_its_spec_changes() -> None:
    """It is told of once, as it stands; a newer generation is work again."""
    desk = Desk()
    for _ in range(2):
        desk.studies.saw(body(status=ENDED))
    assert (desk.loops, len(desk.resting)) == ([], 1)
    assert set(desk.studies.without_loop) == {"a"}
    desk.studies.saw(body(status=ENDED, generation=2))
    assert (len(desk.loops), dict(desk.studies.without_loop)) == (1, {})
    await desk.studies.close()


async def test_leftovers_bring_an_ended_study_its_loop() -> None:
    """A Job of it runs that should be gone: somebody has to remove it."""
    desk = Desk()
    desk.studies.saw(body(status=ENDED), leftovers=True)
    assert len(desk.loops) == 1
    await desk.studies.close()


async def test_of_an_ended_study_only_its_name_is_kept() -> None:
    """Neither loop, task nor body: there may be thousands of them."""
    desk = Desk()
    desk.studies.saw(body())
    kept = weakref.ref(desk.loops[0])
    desk.loops.pop().finish()
    await desk.idle()
    gc.collect()
    assert kept() is None
    assert dict(desk.studies.without_loop) == {
        "a": Reference(namespace="default", name="study", uid="a")
    }
    assert not desk.studies._loops
    assert not desk.removed


async def test_a_deleted_study_is_told_of_after_its_loop() -> None:
    """Not before: the loop's last pass would bring its series back."""
    desk = Desk()
    desk.studies.saw(body())
    desk.studies.gone("a")
    assert desk.loops[0].stops == [Stop.DELETED]
    assert not desk.removed
    await desk.idle()
    assert [study.uid for study in desk.removed] == ["a"]
    assert not desk.studies.known


async def test_a_deleted_study_without_a_loop_is_told_of_at_once() -> None:
    """Once; of a study that nobody knew nothing is said."""
    desk = Desk()
    desk.studies.saw(body(status=ENDED))
    for uid in ("a", "a", "unknown"):
        desk.studies.gone(uid)
    assert [study.uid for study in desk.removed] == ["a"]


async def test_a_study_that_goes_is_not_begun() -> None:
    """Its deletion may wait for others' finalizers: its loop ends at once, none begins."""
    desk = Desk()
    desk.studies.saw(body("a"))
    going = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
    for uid in ("a", "b"):
        meta = body(uid)["metadata"] | going
        desk.studies.saw(body(uid, meta=meta))
    assert [loop.stops for loop in desk.loops] == [[Stop.DELETED]]
    await desk.idle()


async def test_a_namesake_keeps_its_series() -> None:
    """Deleted and made again under its name: what is shown by now is the new one's."""
    desk = Desk()
    desk.studies.saw(body("a"))
    desk.studies.gone("a")
    desk.studies.saw(body("b"))
    await until(lambda: "a" not in desk.studies.known)
    assert not desk.removed
    desk.studies.gone("b")
    await desk.idle()
    assert [study.uid for study in desk.removed] == ["b"]


async def test_after_a_loop_that_broke_comes_another(caplog: pytest.LogCaptureFixture) -> None:
    """With the newest state of its study; a deleted one gets none."""
    desk = Desk()
    desk.studies.saw(body())
    desk.studies.saw(body(generation=2))
    with caplog.at_level(logging.ERROR):
        desk.loops[0].finish(ZeroDivisionError("x"))
        await until(lambda: len(desk.loops) == 2)
        assert desk.loops[1].resource.generation == 2
        desk.loops[1].stops.append(Stop.DELETED)
        desk.loops[1].finish(ZeroDivisionError("x"))
        await desk.idle()
    assert len(desk.loops) == 2
    assert "another begins" in caplog.text


async def test_a_spec_that_changes_as_the_loop_ends_is_followed() -> None:
    """Nobody else would: the loop was there when the change was seen."""
    desk = Desk()
    desk.studies.saw(body())
    desk.loops[0].changed = True
    desk.loops[0].finish()
    await until(lambda: len(desk.loops) == 2)
    await desk.studies.close()


async def test_when_it_closes_all_loops_end_and_none_begins() -> None:
    """Not even one whose spec has just changed, or that broke."""
    desk = Desk()
    desk.studies.saw(body("a"))
    desk.studies.saw(body("b", name="other"))
    desk.loops[0].changed = True
    await desk.studies.close()
    desk.studies.saw(body("c", name="late"))
    assert [loop.stops for loop in desk.loops] == [[Stop.EXITING]] * 2
    assert not desk.studies._tasks


async def test_what_was_known_before_is_kept_to_be_asked_for() -> None:
    """A watch that begins anew does not tell of what was deleted meanwhile."""
    gone, there = (Reference(namespace="default", name=name, uid=name) for name in "ab")
    desk = Desk({"a": gone, "b": there})
    desk.studies.saw(body("b", name="b"))
    assert set(desk.studies.known) == {"a", "b"}
    assert set(desk.studies.without_loop) == {"a"}
    desk.studies.gone("a")
    assert desk.removed == [gone]
    await desk.studies.close()


async def test_the_most_silent_loop_counts() -> None:
    """One that hangs is enough; without any all is well."""
    desk = Desk()
    assert desk.studies.silent_seconds(0) == 0
    desk.studies.saw(body("a"))
    desk.studies.saw(body("b", name="other"))
    desk.loops[1].silent = 7.0
    assert desk.studies.silent_seconds(0) == 7
    await desk.studies.close()
