"""Live values are scraped from loopback ports, and no server can do harm by its answer."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Gauge, start_http_server

from kubetune.adapters.local import metrics as module
from kubetune.adapters.local.files import RunFiles
from kubetune.adapters.local.metrics import LocalMetrics
from kubetune.domain.observation import Reading
from kubetune.domain.trial import Point
from tests.builders import make_exit, make_run

BODY = b'kubetune_trial_step 2\nkubetune_trial_metric{name="loss"} 0.5\n'
READING = Reading(points=(Point(2.0, {"loss": 0.5}),))
OK = b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n"

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def note_port(folder: Path, number: int, port: int) -> None:
    files = RunFiles(folder, number, 1)
    files.prepare()
    files.append(number=number, attempt=1, uid=f"run-{number}-1", port=port)


@asynccontextmanager
async def serving(folder: Path, number: int, answer: bytes | Handler) -> AsyncIterator[None]:
    """A trial whose port answers with these bytes, or as the handler likes."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if isinstance(answer, bytes):
            writer.write(answer)
        else:
            await answer(reader, writer)
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    note_port(folder, number, server.sockets[0].getsockname()[1])
    try:
        yield
    finally:
        server.close()


async def read_one(folder: Path, number: int = 0) -> Reading:
    return (await LocalMetrics(folder).read([make_run(number)]))[number]


async def test_a_point_is_read(tmp_path: Path) -> None:
    """A plain answer gives one point."""
    async with serving(tmp_path, 0, OK + BODY):
        assert await read_one(tmp_path) == READING


async def test_the_clients_own_server_is_read(tmp_path: Path) -> None:
    """The Prometheus client's server, which trainers use, speaks the same language."""
    registry = CollectorRegistry()
    Gauge("kubetune_trial_step", "Step.", registry=registry).set(2)
    gauge = Gauge("kubetune_trial_metric", "Metric.", ["name"], registry=registry)
    gauge.labels("loss").set(0.5)
    server, thread = start_http_server(0, "127.0.0.1", registry=registry)
    note_port(tmp_path, 0, server.server_port)
    try:
        assert await read_one(tmp_path) == READING
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"garbage",
        b"\xff" * 1000,
        b"HTTP/1.0 500 Oops\r\n\r\n" + BODY,
        b"HTTP/1.0 302 Found\r\nLocation: http://example.com/\r\n\r\n" + BODY,
        OK,
        OK + b"kubetune_trial_step {",
        OK + BODY + b"#" * (2**20 + 1),
    ],
    ids=["nothing", "garbage", "bytes", "error", "redirect", "empty", "broken", "huge"],
)
async def test_a_useless_answer_is_an_empty_reading(tmp_path: Path, answer: bytes) -> None:
    """Whatever a trial's port answers, the study goes on without it."""
    async with serving(tmp_path, 0, answer):
        assert await read_one(tmp_path) == Reading()


async def test_a_hanging_server_delays_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One deadline holds for all trials; the others are read all the same."""
    monkeypatch.setattr(module, "DEADLINE_SECONDS", 0.2)

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK + BODY)
        await reader.read()

    async with serving(tmp_path, 0, hang), serving(tmp_path, 1, OK + BODY):
        readings = await LocalMetrics(tmp_path).read([make_run(0), make_run(1)])
    assert readings == {0: Reading(), 1: READING}


async def test_nobody_listening_is_an_empty_reading(tmp_path: Path) -> None:
    """A trial that has not opened its port yet, or never does, is no error."""
    note_port(tmp_path, 0, 1)
    assert await read_one(tmp_path) == Reading()


async def test_a_run_without_a_journal_is_an_empty_reading(tmp_path: Path) -> None:
    """A run that vanished between two looks is no error."""
    assert await read_one(tmp_path) == Reading()


async def test_another_runs_port_is_not_asked(tmp_path: Path) -> None:
    """A journal of the same trial and attempt but another run is not believed."""
    async with serving(tmp_path, 0, OK + BODY):
        readings = await LocalMetrics(tmp_path).read([make_run(0, uid="another")])
    assert readings == {0: Reading()}


async def test_only_running_runs_are_asked(tmp_path: Path) -> None:
    """An ended run has nothing more to show."""
    assert await LocalMetrics(tmp_path).read([make_run(0, exit=make_exit())]) == {}
