"""What Kubernetes' probes are answered."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from kubetune.controller.health import Health


class Well:
    """What is wrong, and what is waited for."""

    sick = ""
    waits = ""


@pytest.fixture
async def well() -> AsyncIterator[tuple[Well, str]]:
    """A server, by its address, and what it goes by."""
    state = Well()
    health = Health(lambda: state.sick, lambda: state.waits)
    port = await health.serve("127.0.0.1:0")
    yield state, f"http://127.0.0.1:{port}"
    await health.close()
    await health.close()


async def ask(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


async def test_it_lives_while_it_waits(well: tuple[Well, str]) -> None:
    """Waiting for a CRD or a right is life, and not being ready; the words say for what."""
    state, url = well
    assert await ask(f"{url}/healthz") == (200, "ok\n")
    assert await ask(f"{url}/readyz") == (200, "ok\n")
    state.waits = "no CRD"
    assert await ask(f"{url}/healthz") == (200, "ok\n")
    assert await ask(f"{url}/readyz") == (503, "no CRD\n")


async def test_when_something_hangs_it_is_to_be_started_anew(well: tuple[Well, str]) -> None:
    """A 500 makes the kubelet do that."""
    state, url = well
    state.sick = "a loop has not turned for 400 s"
    assert await ask(f"{url}/healthz") == (500, "a loop has not turned for 400 s\n")
    assert (await ask(f"{url}/readyz"))[0] == 503


async def test_a_port_that_is_taken_is_an_error(well: tuple[Well, str]) -> None:
    """Nobody would be told otherwise that no probe is answered."""
    _, url = well
    second = Health(str, str)
    with pytest.raises(OSError):
        await second.serve(url.removeprefix("http://"))
    await second.close()
