"""Which studies may run."""

import pytest

from kubetune.adapters.kubernetes.api import ApiRefused
from kubetune.controller.admitting import admit
from kubetune.domain.faults import InvalidSpec
from tests.unit.controller.world import World, refused


def refusing(world: World, status: int, message: str) -> None:
    def trouble(_: str, __: str) -> None:
        raise refused(status, message=message)

    world.trouble = trouble


async def test_an_admitted_study_comes_with_what_was_found() -> None:
    """The Job of a made-up trial was shown to the server, and nothing was created."""
    world = World()
    admitted = await admit(world.add(), world.services)
    assert admitted.spec.trials.max == 3
    assert (admitted.feasible_share, admitted.warnings) == (1.0, ())
    assert len(world.asked("POST", "dryRun")) == 1
    assert not world.children


async def test_every_fault_is_said_at_once() -> None:
    """Our own rules come first: the server is not asked about what is wrong anyway."""
    world = World()
    study = world.add(parameters=[{"name": "x", "type": "Double", "min": 1, "max": 0}] * 2)
    with pytest.raises(InvalidSpec) as error:
        await admit(study, world.services)
    assert len(error.value.faults) > 1
    assert not world.requests


async def test_the_operators_own_namespace_has_no_studies() -> None:
    """A trial there could use the operator's accounts and secrets."""
    world = World(own_namespace="default")
    with pytest.raises(InvalidSpec, match="make the study in another namespace"):
        await admit(world.add(), world.services)


async def test_a_template_that_is_refused_is_the_studys_fault() -> None:
    """In the server's words."""
    world = World()
    refusing(world, 422, "no such field")
    with pytest.raises(InvalidSpec, match="no such field"):
        await admit(world.add(), world.services)


async def test_a_full_quota_is_no_fault() -> None:
    """Trials wait for their turn."""
    world = World()
    refusing(world, 403, "exceeded quota: gpus")
    assert await admit(world.add(), world.services)


@pytest.mark.parametrize("status", [409, 429, 500])
async def test_what_passes_says_nothing(status: int) -> None:
    """It is asked again later, and the study is not called invalid."""
    world = World()
    refusing(world, status, "busy")
    with pytest.raises(ApiRefused):
        await admit(world.add(), world.services)
