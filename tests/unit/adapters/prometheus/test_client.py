"""One question, bounded in time and size, whatever the answer is."""

import asyncio
import math
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from kubetune.adapters.prometheus.client import (
    PrometheusClient,
    PrometheusUnreachable,
    QueryRefused,
    Series,
)
from kubetune.adapters.prometheus.credentials import Credentials
from tests.unit.adapters.prometheus.answers import (
    FakePrometheus,
    answering,
    element,
    http,
    vector,
)


@pytest.fixture
async def server() -> AsyncIterator[FakePrometheus]:
    async with answering() as fake:
        yield fake


async def ask(server: FakePrometheus, credentials: Credentials | None = None) -> tuple[Series, ...]:
    client = PrometheusClient(server.url, credentials, timeout_seconds=2, body_limit=2**16)
    try:
        return await client.query("up")
    finally:
        await client.close()


async def test_a_vector_is_read(server: FakePrometheus) -> None:
    """Numbers come with their labels; the words for what JSON cannot write are numbers too."""
    server.answer = http(vector(element("0.5", a="b"), element("NaN"), element("-Inf")))
    half, nan, infinite = await ask(server)
    assert half == Series({"a": "b"}, 0.5)
    assert math.isnan(nan.value)
    assert infinite.value == -math.inf
    assert server.asked == [{"query": "up", "timeout": "2"}]


async def test_a_moment_is_asked_for(server: FakePrometheus) -> None:
    """A query may be asked as of an earlier second."""
    await server.client.query("up", 12.5)
    assert server.asked[0]["time"] == "12.500"


async def test_senseless_elements_are_left_out(server: FakePrometheus) -> None:
    """Elements of wrong types, and histograms, take nothing from the others."""
    odd = [
        None, 1, [], {}, {"metric": 1, "value": [1, "1"]}, {"metric": {}, "value": "12"},
        {"metric": {}, "value": [1]}, element("x"), element(None), element({}),
        {"metric": {}, "histogram": [1, {}]},
    ]  # fmt: skip
    server.answer = http(vector(*odd, element("1", good="yes", odd=3)))
    assert await ask(server) == (Series({"good": "yes"}, 1.0),)


async def test_another_kind_of_result_is_empty(server: FakePrometheus) -> None:
    """A scalar has no labels, so it belongs to no trial."""
    server.answer = http(b'{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}')
    assert await ask(server) == ()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage\r\n\r\n",
        http(b""),
        http(b"[]"),
        http(b"\xff\xfe"),
        http(b"[" * 60_000),
        http(b'{"status":"success"}'),
        http(b'{"status":"success","data":{"result":3}}'),
        http(b'{"status":"error","errorType":"timeout","error":"slow"}', "503 Busy"),
        http(b"no", "401 Unauthorized"),
        http(b"", "302 Found", "Location: http://127.0.0.1:1/"),
        http(vector(*[element("1", text="x" * 1000)] * 100)),
    ],
    ids=[
        "nothing", "garbage", "empty", "list", "bytes", "deep", "no data", "no list", "busy",
        "refused", "redirect", "huge",
    ],
)  # fmt: skip
async def test_no_usable_answer_is_unreachable(server: FakePrometheus, answer: bytes) -> None:
    """Whatever is no answer means that nothing is known, and is said in one way."""
    server.answer = answer
    with pytest.raises(PrometheusUnreachable):
        await ask(server)


async def test_a_slow_server_is_given_up(server: FakePrometheus) -> None:
    """A server that never ends its answer costs a bounded time."""
    released = asyncio.Event()

    async def hang(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{")
        await writer.drain()
        await released.wait()

    server.answer = hang
    client = PrometheusClient(server.url, timeout_seconds=0.1)
    with pytest.raises(PrometheusUnreachable, match="TimeoutError"):
        await client.query("up")
    await client.close()
    released.set()


async def test_nobody_listening_is_unreachable() -> None:
    """A refused connection is no answer."""
    client = PrometheusClient("http://127.0.0.1:1")
    with pytest.raises(PrometheusUnreachable):
        await client.query("up")
    await client.close()


async def test_a_wrong_query_is_told_from_a_dead_server(server: FakePrometheus) -> None:
    """What the server says of the query itself comes in its words."""
    body = b'{"status":"error","errorType":"execution","error":"many-to-many"}'
    server.answer = http(body, "422 Unprocessable Entity")
    with pytest.raises(QueryRefused, match="many-to-many"):
        await ask(server)


async def test_a_token_is_read_for_each_question(server: FakePrometheus, tmp_path: Path) -> None:
    """A mounted token that was replaced is used from the next question on."""
    file = tmp_path / "token"
    credentials = Credentials.from_environment({"KUBETUNE_PROMETHEUS_TOKEN_FILE": str(file)})
    for token in ("one", "two"):
        file.write_text(f"{token}\n")
        await ask(server, credentials)
    assert "Authorization: Bearer one" in server.heads[0]
    assert "Authorization: Bearer two" in server.heads[1]


async def test_a_name_and_password_are_sent(server: FakePrometheus, tmp_path: Path) -> None:
    """The password may stand in a file, and is never shown."""
    file = tmp_path / "password"
    file.write_text("secret\n")
    prefix = "KUBETUNE_PROMETHEUS_"
    environment = {f"{prefix}USERNAME": "me", f"{prefix}PASSWORD_FILE": str(file)}
    await ask(server, Credentials.from_environment(environment))
    assert "Authorization: Basic bWU6c2VjcmV0" in server.heads[0]
    assert "secret" not in repr(Credentials(username="me", password="secret"))


async def test_a_missing_token_is_unreachable(server: FakePrometheus, tmp_path: Path) -> None:
    """A secret that cannot be read is a server that cannot be asked."""
    with pytest.raises(PrometheusUnreachable, match="No such file"):
        await ask(server, Credentials(token_file=tmp_path / "none"))
    with pytest.raises(PrometheusUnreachable, match="No such file"):
        await ask(server, Credentials(ca_file=tmp_path / "none"))


@pytest.mark.parametrize("url", ["prometheus:9090", "ftp://host", "http://", "http://a:b@host"])
def test_a_url_that_cannot_be_used_is_refused(url: str) -> None:
    """A URL without a host, of another kind, or with a password in it is refused at once."""
    with pytest.raises(ValueError, match="URL") as refused:
        PrometheusClient(url)
    assert "a:b" not in str(refused.value)
