"""Stands between clients and the real API server: records requests, and plays the bad network."""

import asyncio
import json
import re
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from tests.cluster import users
from tests.cluster.control_plane import ControlPlane
from tests.cluster.faults import Answer, Call, Cut, CutStream, Delay, Fault, Hold, Rule

WAIT_SECONDS = 60.0
"""The longest that a held request waits: past it a test has forgotten to release it."""

_READS = {"GET", "HEAD", "OPTIONS"}
_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "upgrade", "host"}


@dataclass(slots=True)
class Seen:
    """A request that came. `status` is 0 until it is answered, and for ever where it was cut.

    `seconds` is how long its client waited for the answer to begin, 0 until then.
    """

    at: float
    method: str
    path: str
    query: dict[str, str]
    content: bytes
    status: int = 0
    seconds: float = 0.0

    @property
    def body(self) -> Any:
        """What it carried."""
        return json.loads(self.content) if self.content else None


class Proxy:
    """A server of its own thread, with the API server's certificate: only the address differs.

    Tokens, watches and answers pass as they are; client certificates and upgraded connections
    (exec, port-forward) do not. While the API server is away every connection is cut.
    """

    def __init__(self, plane: ControlPlane, *, keep_bodies: bool = True) -> None:
        self._plane = plane
        self._keys = plane.home.folder / "keys"
        self._keep_bodies = keep_bodies
        self._rules: list[Rule] = []
        self._lock = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self.seen: list[Seen] = []
        self.port = 0

    @property
    def url(self) -> str:
        """Where clients reach it."""
        return f"https://127.0.0.1:{self.port}"

    def kubeconfig_for(self, user: str = users.ADMIN) -> Path:
        """The kubeconfig of a user whose requests are to come here."""
        config = json.loads(self._plane.kubeconfig_for(user).read_text())
        config["clusters"][0]["cluster"]["server"] = self.url
        path = self._plane.home.make("kubeconfigs") / f"{user}.proxy-{self.port}.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(config))
        return path

    def add(
        self,
        fault: Fault,
        method: str = ".*",
        path: str = "",
        *,
        count: int | None = 1,
        **more: int,
    ) -> Rule:
        """Requests that match meet a fault, from now on; the first rule that takes one has it."""
        rule = Rule(fault=fault, method=method, path=path, count=count, **more)
        with self._lock:
            self._rules.append(rule)
        return rule

    def clear(self) -> None:
        """From now on everything passes."""
        with self._lock:
            self._rules.clear()

    def requests(self, method: str = ".*", path: str = "") -> list[Seen]:
        """The requests that came, by regular expressions as a Rule's."""
        return [
            seen
            for seen in list(self.seen)
            if re.fullmatch(method, seen.method) and re.search(path, seen.path)
        ]

    def writes(self, path: str = "") -> list[Seen]:
        """The requests that asked for a change."""
        return [seen for seen in self.requests(path=path) if seen.method not in _READS]

    def start(self) -> None:
        """Begins to listen, on a free port of 127.0.0.1."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._start(), self._loop).result(WAIT_SECONDS)

    def stop(self) -> None:
        """Ends every connection; nothing listens any more."""
        self.clear()
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(WAIT_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_SECONDS)
        self._loop.close()

    async def _start(self) -> None:
        trust = ssl.create_default_context(cafile=self._keys / "apiserver.crt")
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(ssl=trust, limit=0),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
        )
        served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        served.load_cert_chain(self._keys / "apiserver.crt", self._keys / "apiserver.key")
        app = web.Application(client_max_size=2**26)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=served)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def _stop(self) -> None:
        assert self._runner
        assert self._session
        await self._runner.cleanup()
        await self._session.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._loop.shutdown_default_executor()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        content = await request.read()
        seen = Seen(
            at=time.monotonic(),
            method=request.method,
            path=request.path,
            query=dict(request.query),
            content=content if self._keep_bodies else b"",
        )
        self.seen.append(seen)
        fault = self._fault(request.method, request.raw_path)
        try:
            return await self._meet(fault, request, content, seen)
        except (aiohttp.ClientError, ConnectionError, TimeoutError):
            return _cut(request)

    def _fault(self, method: str, path: str) -> Fault | None:
        with self._lock:
            return next((rule.fault for rule in self._rules if rule.takes(method, path)), None)

    async def _meet(
        self, fault: Fault | None, request: web.Request, content: bytes, seen: Seen
    ) -> web.StreamResponse:
        match fault:
            case Answer():
                seen.status = fault.status
                return _answer(fault)
            case Cut(carried_out=False):
                return _cut(request)
            case Delay(seconds=seconds):
                await asyncio.sleep(seconds)
            case Hold(arrived=arrived, released=released):
                arrived.set()
                await asyncio.to_thread(released.wait, WAIT_SECONDS)
            case Call(carried_out=False):
                await asyncio.to_thread(fault.deed)
        return await self._pass_on(fault, request, content, seen)

    async def _pass_on(
        self, fault: Fault | None, request: web.Request, content: bytes, seen: Seen
    ) -> web.StreamResponse:
        assert self._session
        url = URL(self._plane.url + request.raw_path, encoded=True)
        headers = [(k, v) for k, v in request.headers.items() if k.lower() not in _HOP_BY_HOP]
        async with self._session.request(
            request.method, url, headers=headers, data=content or None
        ) as answer:
            if isinstance(fault, Cut):
                await answer.read()
                return _cut(request)
            if isinstance(fault, Call) and fault.carried_out:
                await asyncio.to_thread(fault.deed)
            seen.status, seen.seconds = answer.status, time.monotonic() - seen.at
            left = fault.after_bytes if isinstance(fault, CutStream) else None
            return await _relay(request, answer, left)


@contextmanager
def proxied(plane: ControlPlane, *, keep_bodies: bool = True) -> Iterator[Proxy]:
    """A proxy in front of a control plane's API server."""
    proxy = Proxy(plane, keep_bodies=keep_bodies)
    proxy.start()
    try:
        yield proxy
    finally:
        proxy.stop()


async def _relay(
    request: web.Request, answer: aiohttp.ClientResponse, left: int | None
) -> web.StreamResponse:
    """Passes an answer on as it comes; ends the connection after `left` bytes."""
    headers = [(k, v) for k, v in answer.headers.items() if k.lower() not in _HOP_BY_HOP]
    response = web.StreamResponse(status=answer.status, reason=answer.reason)
    response.headers.extend(headers)
    await response.prepare(request)
    async for chunk in answer.content.iter_any():
        if left is not None and len(chunk) >= left:
            await response.write(chunk[:left])
            return _cut(request)
        left = None if left is None else left - len(chunk)
        await response.write(chunk)
    with suppress(ConnectionError):
        await response.write_eof()
    return response


def _answer(fault: Answer) -> web.Response:
    said = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "message": fault.message,
        "reason": fault.reason,
        "code": fault.status,
    }
    return web.json_response(said, status=fault.status, headers=dict(fault.headers))


def _cut(request: web.Request) -> web.Response:
    """Ends the client's connection at once; what is returned goes nowhere."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)
