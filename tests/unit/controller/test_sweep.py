"""What no watch tells of is found by asking."""

import asyncio
import logging
from dataclasses import replace
from typing import Any

import pytest

from kubetune.adapters.kubernetes import names
from kubetune.adapters.kubernetes.reference import Reference
from kubetune.controller import sweep as sweeping
from kubetune.controller.resource import Resource
from kubetune.controller.studies import Studies
from kubetune.controller.sweep import Sweep
from tests.unit.controller.test_studies import ENDED, Desk
from tests.unit.controller.world import World, make_body, refused, until


class Swept:
    """A desk of studies, and the API server that knows which there are."""

    def __init__(self) -> None:
        self.world, self.desk = World(), Desk()
        self.sweep = Sweep(self.desk.studies, self.world, self.world.services.api)

    def add(self, uid: str, **body: Any) -> None:
        self.world.add(uid=uid, name=uid, **body)
        self.desk.studies.saw(make_body(uid=uid, name=uid, **body))

    async def all(self) -> None:
        """Two sweeps: the first one after all have been asked begins anew."""
        for _ in range(2):
            await self.sweep.sweep()


async def test_a_study_that_is_gone_is_found_out() -> None:
    """With or without a loop; the others are left alone."""
    swept = Swept()
    swept.add("a", status=ENDED)
    swept.add("b", status=ENDED)
    swept.add("c")
    del swept.world.studies["a"]
    del swept.world.studies["c"]
    await swept.all()
    await swept.desk.idle()
    assert {study.uid for study in swept.desk.removed} == {"a", "c"}
    assert set(swept.desk.studies.known) == {"b"}


async def test_a_study_made_anew_is_another() -> None:
    """Of the same name: the old one is gone, the new one gets its loop."""
    swept = Swept()
    swept.add("a", status=ENDED)
    swept.world.studies["a"] = make_body(uid="new", name="a")
    await swept.all()
    assert set(swept.desk.studies.known) == {"new"}
    assert len(swept.desk.loops) == 1
    await swept.desk.studies.close()


async def test_a_study_that_goes_while_it_is_asked_for_stays_gone() -> None:
    """The answer is older than what a watch has told since: no loop begins for it."""
    swept = Swept()
    swept.add("a")
    await swept.sweep.sweep()

    async def told() -> None:
        swept.desk.studies.gone("a")
        await swept.desk.idle()

    swept.world.meanwhile = told
    await swept.sweep.sweep()
    assert len(swept.desk.loops) == 1
    assert not swept.desk.studies.known


async def test_what_the_server_does_not_say_changes_nothing() -> None:
    """A server that is busy, or refuses, says nothing of what there is."""
    swept = Swept()
    swept.add("a", status=ENDED)

    def trouble(_: str, __: str) -> None:
        raise refused(500)

    swept.world.trouble = trouble
    await swept.all()
    assert set(swept.desk.studies.known) == {"a"}


async def test_a_job_that_outlived_its_study_brings_back_its_loop() -> None:
    """If it is the study's, and not about to go: labels and owners anybody can write."""
    swept = Swept()
    swept.add("a", status=ENDED)
    await swept.world.request("POST", "/jobs", body=_job())
    ((job, pod),) = swept.world.children.values()
    for seen in (
        replace(job, owner_uid="stranger"),
        replace(job, deleted_at=1.0),
        replace(job, name="left"),
        replace(job, number=None),
        replace(job, namespace="elsewhere"),
    ):
        swept.world.children = {"left": (seen, pod)}
        await swept.all()
        assert not swept.desk.loops
    swept.world.children = {"left": (job, pod)}
    await swept.all()
    assert len(swept.desk.loops) == 1
    await swept.desk.studies.close()


async def test_so_many_are_asked_at_once_and_all_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand studies do not make a thousand requests a minute."""
    monkeypatch.setattr(sweeping, "AT_ONCE", 2)
    swept = Swept()
    for uid in "abcde":
        swept.add(uid, status=ENDED)
    asked = []
    for _ in range(4):
        before = len(swept.world.requests)
        await swept.sweep.sweep()
        asked.append(len(swept.world.requests) - before)
    assert asked == [0, 2, 2, 1]
    assert len(set(swept.world.requests)) == 5


async def test_a_sweep_that_breaks_is_followed_by_another(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Whatever it met: without sweeps a deleted study would be kept for ever."""
    broken = Broken()
    world = World()
    sweep = Sweep(broken, world, world.services.api)
    with caplog.at_level(logging.ERROR):
        task = asyncio.create_task(sweep.run(0.0))
        await until(lambda: broken.asked > 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert "a sweep broke" in caplog.text


class Broken(Studies):
    """Studies that cannot be asked which there are."""

    def __init__(self) -> None:
        super().__init__(lambda _: pytest.fail("nothing begins"))
        self.asked = 0

    @property
    def known(self) -> dict[str, Reference]:
        self.asked += 1
        raise ZeroDivisionError


def _job() -> dict[str, Any]:
    study = Resource.of(make_body(uid="a", name="a")).reference
    meta = {
        "name": names.job_name(study.name, study.uid, 0, 1),
        "namespace": study.namespace,
        "labels": names.labels(study.name, study.uid, 0, 1),
        "ownerReferences": [{"uid": study.uid, "controller": True}],
    }
    return {"metadata": meta}
