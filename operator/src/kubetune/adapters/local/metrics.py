"""Live values of local trials, scraped from their loopback ports."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from kubetune.adapters.local.exposition import parse
from kubetune.adapters.local.files import RunFiles, read_record
from kubetune.domain.observation import Reading
from kubetune.domain.runs import Run, RunState

DEADLINE_SECONDS = 1.0
"""How long one read takes at most, for all trials together."""

BODY_LIMIT = 2**20
"""Bytes of an answer; a longer one counts as garbage."""

_REQUEST = b"GET /metrics HTTP/1.0\r\nHost: 127.0.0.1\r\nAccept: text/plain\r\n\r\n"


class LocalMetrics:
    """The MetricSource port over the runs of one folder.

    HTTP/1.0 keeps the exchange to one request and an answer that ends with the connection; no
    redirect is followed, and nothing but 127.0.0.1 is ever asked. A process that has ended shows
    nothing any more.
    """

    lag_seconds = 0.0

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._ports: dict[str, int] = {}

    async def read(self, runs: Sequence[Run]) -> Mapping[int, Reading]:
        """What each running trial shows now; an empty reading where nothing usable came."""
        running = [run for run in runs if run.state is RunState.RUNNING]
        self._ports = {run.uid: self._port(run) for run in running}
        if not running:
            return {}
        tasks = {run.number: asyncio.create_task(_scrape(self._ports[run.uid])) for run in running}
        _, late = await asyncio.wait(tasks.values(), timeout=DEADLINE_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        return {
            number: Reading() if task in late else parse(task.result())
            for number, task in tasks.items()
        }

    def _port(self, run: Run) -> int:
        """The port that the run's journal names; 0 when there is none (yet)."""
        known = self._ports.get(run.uid, 0)
        if known:
            return known
        record = read_record(RunFiles(self._folder, run.number, run.attempt).journal)
        return record.port if record is not None and record.uid == run.uid else 0


async def _scrape(port: int) -> bytes:
    """The body of an answer of status 200; empty when there is none."""
    if not 0 < port < 2**16:
        return b""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return b""
    try:
        writer.write(_REQUEST)
        answer = await _read_all(reader)
    except OSError:
        return b""
    finally:
        writer.transport.abort()
    head, _, body = answer.partition(b"\r\n\r\n")
    return body if head[:13].partition(b" ")[2].startswith(b"200") else b""


async def _read_all(reader: asyncio.StreamReader) -> bytes:
    """Everything up to the end of the stream; empty when it is too long."""
    chunks, size = [], 0
    while chunk := await reader.read(2**16):
        chunks.append(chunk)
        size += len(chunk)
        if size > BODY_LIMIT:
            return b""
    return b"".join(chunks)
