"""The one connection that all requests of an operator take."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from kubetune.adapters.kubernetes.api import LONGEST_REST_SECONDS, Api, ApiRefused
from tests.cluster.control_plane import ControlPlane
from tests.cluster.faults import Answer
from tests.cluster.proxy import Proxy, proxied

PATH = "/api/v1/namespaces/default"


@pytest.fixture
def proxy(control_plane: ControlPlane) -> Iterator[Proxy]:
    with proxied(control_plane) as proxy:
        yield proxy


@pytest.fixture
async def api(proxy: Proxy) -> AsyncIterator[Api]:
    api = await Api.connect(kubeconfig=proxy.kubeconfig_for())
    yield api
    await api.close()


def busy(seconds: str) -> Answer:
    return Answer(429, reason="TooManyRequests", headers=(("Retry-After", seconds),))


async def test_a_busy_server_has_the_rest_that_it_asks_for(api: Api, proxy: Proxy) -> None:
    """After `Retry-After: 1` no request is sent for a second, of whatever kind; then all are."""
    proxy.add(busy("1"), "GET")
    with pytest.raises(ApiRefused) as refused:
        await api.request("GET", PATH)
    assert refused.value.passing
    await asyncio.gather(api.request("GET", PATH), api.request("GET", f"{PATH}/pods"))
    first, *others = proxy.requests("GET")
    assert len(others) == 2
    assert all(other.at - first.at >= 1 for other in others)


@pytest.mark.parametrize("said", ["", "Fri, 31 Dec 2999 23:59:59 GMT", "-5", "nan", "1e9"])
async def test_a_strange_wish_for_rest_holds_nothing_up(
    api: Api, proxy: Proxy, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is no number of whole seconds is no wish."""
    proxy.add(busy(said), "GET")
    with pytest.raises(ApiRefused):
        await api.request("GET", PATH)
    monkeypatch.setattr("kubetune.adapters.kubernetes.api.asyncio.sleep", _no_sleep)
    assert await api.request("GET", PATH)


async def test_a_rest_is_bounded(api: Api, proxy: Proxy, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a server asks for, it is asked again before long."""
    slept: list[float] = []

    async def note(seconds: float) -> None:
        slept.append(seconds)
        monkeypatch.setattr(api, "_rests_until", 0.0)

    proxy.add(busy("86400"), "GET")
    with pytest.raises(ApiRefused):
        await api.request("GET", PATH)
    monkeypatch.setattr("kubetune.adapters.kubernetes.api.asyncio.sleep", note)
    assert await api.request("GET", PATH)
    assert 0 < slept[0] <= LONGEST_REST_SECONDS


async def _no_sleep(seconds: float) -> None:
    pytest.fail(f"it rests for {seconds} s")
