"""The proxy between clients and the real API server."""

import asyncio
import json
import ssl
from collections.abc import Iterator

import aiohttp
import pytest

from kubetune.adapters.kubernetes.api import Api, ApiRefused, ApiUnreachable
from tests.cluster.control_plane import ControlPlane
from tests.cluster.faults import Answer, Call, Cut, CutStream, Delay, Hold
from tests.cluster.proxy import Proxy, proxied


@pytest.fixture
def proxy(control_plane: ControlPlane) -> Iterator[Proxy]:
    with proxied(control_plane) as proxy:
        yield proxy


def maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


def config_map(name: str) -> dict[str, object]:
    return {"metadata": {"name": name}}


async def ask(proxy: Proxy, method: str, path: str, **rest: object) -> dict[str, object]:
    api = await Api.connect(kubeconfig=proxy.kubeconfig_for())
    try:
        return await api.request(method, path, **rest)
    finally:
        await api.close()


async def test_what_meets_no_rule_passes_and_is_recorded(proxy: Proxy, namespace: str) -> None:
    """A client sees the API server's own answers, over TLS, under its own user."""
    made = await ask(proxy, "POST", maps(namespace), body=config_map("a"))
    with pytest.raises(ApiRefused, match="not found"):
        await ask(proxy, "GET", f"{maps(namespace)}/b")
    assert made["metadata"]["name"] == "a"
    assert [seen.status for seen in proxy.requests(path=namespace)] == [201, 404]
    assert [seen.body for seen in proxy.writes()] == [config_map("a")]


async def test_a_user_without_rights_has_none_through_it(proxy: Proxy, namespace: str) -> None:
    """The proxy adds no rights of its own."""
    api = await Api.connect(kubeconfig=proxy.kubeconfig_for("operator"))
    try:
        with pytest.raises(ApiRefused) as refused:
            await api.request("GET", maps(namespace))
    finally:
        await api.close()
    assert refused.value.status == 403


async def test_an_answer_of_its_own_leaves_the_api_server_alone(
    proxy: Proxy, namespace: str
) -> None:
    """The first `skip` requests pass, the next `count` meet the fault, the others pass again."""
    rule = proxy.add(
        Answer(429, "slowly", "TooManyRequests", (("Retry-After", "1"),)),
        "POST",
        "/configmaps$",
        skip=1,
        count=2,
    )
    found = []
    for name in "abcd":
        try:
            await ask(proxy, "POST", maps(namespace), body=config_map(name))
        except ApiRefused as refused:
            found.append((name, refused.status, refused.reason))
    assert found == [("b", 429, "TooManyRequests"), ("c", 429, "TooManyRequests")]
    assert rule.hits == 2


@pytest.mark.parametrize("carried_out", [False, True])
async def test_a_cut_request_has_no_answer(
    proxy: Proxy, namespace: str, *, carried_out: bool
) -> None:
    """A cut comes before the API server has heard of the request, or after it did it."""
    proxy.add(Cut(carried_out=carried_out), "POST", "/configmaps$")
    with pytest.raises(ApiUnreachable):
        await ask(proxy, "POST", maps(namespace), body=config_map("a"))
    items = (await ask(proxy, "GET", maps(namespace)))["items"]
    assert ("a" in {item["metadata"]["name"] for item in items}) is carried_out


async def test_a_test_acts_in_the_midst_of_a_request(
    proxy: Proxy, control_plane: ControlPlane, namespace: str
) -> None:
    """A deed sees the world before or after a request was carried out; the client waits."""
    names: list[set[str]] = []

    def look() -> None:
        items = control_plane.request("GET", maps(namespace))["items"]
        names.append({item["metadata"]["name"] for item in items} & {"a", "b"})

    proxy.add(Call(look), "POST", "/configmaps$")
    proxy.add(Call(look, carried_out=True), "POST", "/configmaps$")
    await ask(proxy, "POST", maps(namespace), body=config_map("a"))
    await ask(proxy, "POST", maps(namespace), body=config_map("b"))
    assert names == [set(), {"a", "b"}]


async def test_a_held_request_waits_until_it_is_released(proxy: Proxy, namespace: str) -> None:
    """A test may do as it likes while a request is under way."""
    hold = Hold()
    proxy.add(hold, "GET", "/configmaps$")
    asked = asyncio.create_task(ask(proxy, "GET", maps(namespace)))
    await asyncio.to_thread(hold.arrived.wait)
    assert not asked.done()
    hold.release()
    assert (await asked)["kind"] == "ConfigMapList"


async def test_a_delayed_request_is_carried_out_later(proxy: Proxy, namespace: str) -> None:
    """A delay changes nothing but the time."""
    proxy.add(Delay(0.3), "GET", "/configmaps$")
    assert (await ask(proxy, "GET", maps(namespace)))["kind"] == "ConfigMapList"
    assert proxy.requests("GET", "/configmaps$")[0].seconds >= 0.3


async def test_a_watch_passes_as_it_comes_and_may_be_cut_in_its_midst(
    proxy: Proxy, control_plane: ControlPlane, namespace: str
) -> None:
    """Events of a watch are passed on one by one, not when it ends; a cut ends it early."""
    config = json.loads(proxy.kubeconfig_for().read_text())
    token = config["users"][0]["user"]["token"]
    trust = ssl.create_default_context(cafile=control_plane.home.folder / "keys" / "apiserver.crt")
    url = f"{proxy.url}{maps(namespace)}?watch=true"
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        async with session.get(url, ssl=trust) as watch:
            control_plane.request("POST", maps(namespace), config_map("late"))
            kinds = []
            async for line in watch.content:
                event = json.loads(line)
                kinds.append(event["type"])
                if event["object"]["metadata"]["name"] == "late":
                    break
        assert kinds[-1] == "ADDED"
        proxy.add(CutStream(after_bytes=40), "GET", "watch=true")
        async with session.get(url, ssl=trust) as watch:
            with pytest.raises(aiohttp.ClientPayloadError):
                await watch.read()


async def test_an_api_server_that_is_away_is_seen_as_such(
    proxy: Proxy, control_plane: ControlPlane, namespace: str
) -> None:
    """While the API server is down connections are cut; afterwards the same proxy goes on."""
    control_plane.stop_component("kube-apiserver")
    try:
        with pytest.raises(ApiUnreachable):
            await ask(proxy, "GET", maps(namespace))
    finally:
        control_plane.start_component("kube-apiserver")
    assert (await ask(proxy, "GET", maps(namespace)))["kind"] == "ConfigMapList"


def test_kubectl_works_through_it(
    proxy: Proxy, control_plane: ControlPlane, namespace: str
) -> None:
    """A real client in a process of its own finds nothing amiss."""
    control_plane.request("POST", maps(namespace), config_map("made-here"))
    kubeconfig = proxy.kubeconfig_for()
    told = control_plane.kubectl("get", "configmaps", "-n", namespace, f"--kubeconfig={kubeconfig}")
    assert "made-here" in told
    assert proxy.requests("GET", f"/{namespace}/configmaps")
