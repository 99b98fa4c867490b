"""A bare client of an API server: what a request and a watch cost without an operator."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

Body = Mapping[str, Any]


class Client:
    """One session as the user of a kubeconfig that the test cluster wrote (JSON, with a token)."""

    def __init__(self, kubeconfig: Path) -> None:
        said = json.loads(kubeconfig.read_text())
        server = said["clusters"][0]["cluster"]
        authority = server["certificate-authority-data"]
        self._url = server["server"]
        self._token = said["users"][0]["user"]["token"]
        self._trust = ssl.create_default_context(cadata=_decoded(authority))
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        """Opens the session."""
        self._session = aiohttp.ClientSession(
            headers={"Authorization": f"Bearer {self._token}"},
            connector=aiohttp.TCPConnector(ssl=self._trust, limit=0),
            timeout=aiohttp.ClientTimeout(total=None),
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Closes it."""
        assert self._session is not None
        await self._session.close()

    async def request(self, method: str, path: str, body: Body | None = None) -> dict[str, Any]:
        """One request.

        Raises:
            RuntimeError: the answer is not of 2xx.
        """
        assert self._session is not None
        async with self._session.request(method, self._url + path, json=body) as answer:
            text = await answer.text()
            if answer.status >= 300:
                raise RuntimeError(f"{method} {path}: {answer.status}: {text[:500]}")
            found: dict[str, Any] = json.loads(text)
            return found

    async def watch(self, path: str) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """Type and object of each event from now on; a list that is empty is where it begins.

        Where the server ends a watch it goes on after the last event.

        Raises:
            RuntimeError: the server does not know any more what has happened since.
        """
        version = (await self.request("GET", path))["metadata"]["resourceVersion"]
        assert self._session is not None
        while True:
            url = f"{self._url}{path}?watch=1&resourceVersion={version}&timeoutSeconds=3600"
            async with self._session.get(url, read_bufsize=2**22) as answer:
                async for line in answer.content:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise RuntimeError(f"the watch of {path}: {event['object']}")
                    version = event["object"]["metadata"]["resourceVersion"]
                    yield event["type"], event["object"]
            await asyncio.sleep(0.1)


def _decoded(text: str) -> str:
    return base64.b64decode(text).decode()
