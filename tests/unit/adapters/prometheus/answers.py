"""A Prometheus that answers what a test says."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

from kubetune.adapters.prometheus.client import PrometheusClient

Answer = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


def vector(*elements: Any) -> bytes:
    """The body of a good answer."""
    data = {"resultType": "vector", "result": list(elements)}
    return json.dumps({"status": "success", "data": data}).encode()


def element(value: object, **labels: object) -> dict[str, object]:
    """One element of a vector."""
    return {"metric": labels, "value": [1.0, value]}


def http(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """A whole answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class FakePrometheus:
    """`answer` is sent to everybody; `asked` holds the forms, `heads` the headers received.

    `client` asks it.
    """

    def __init__(self) -> None:
        self.answer: Answer = http(vector())
        self.asked: list[dict[str, str]] = []
        self.heads: list[str] = []
        self.url = ""
        self.client: PrometheusClient

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.partition(":")[2])
            for line in head.splitlines()
            if line.lower().startswith("content-length")
        )
        form = parse_qs((await reader.readexactly(length)).decode())
        self.heads.append(head)
        self.asked.append({name: values[0] for name, values in form.items()})
        if isinstance(self.answer, bytes):
            writer.write(self.answer)
        else:
            await self.answer(writer)
        writer.close()


@asynccontextmanager
async def answering() -> AsyncIterator[FakePrometheus]:
    """A server on a port of its own."""
    fake = FakePrometheus()
    server = await asyncio.start_server(fake.handle, "127.0.0.1", 0)
    fake.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    fake.client = PrometheusClient(fake.url)
    try:
        yield fake
    finally:
        await fake.client.close()
        server.close()
