"""Questions to a Prometheus server: one instant query, bounded in time and size."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aiohttp

from kubetune.adapters.prometheus.credentials import PREFIX, Credentials, Trust

TIMEOUT_SECONDS = 5.0
"""How long a question takes at most, connecting and reading included."""

BODY_LIMIT = 32 * 2**20
"""Bytes of an answer, unpacked; a longer one is refused."""

TEXT_LIMIT = 300
"""Characters of a server's words that are shown."""

_CHUNK = 2**16
_PAIR = 2
_QUERY_FAULTS = frozenset({"bad_data", "execution"})


class PrometheusUnreachable(Exception):  # noqa: N818 - named by what to do next: ask again later
    """No usable answer: nothing is known of any trial."""


class QueryRefused(Exception):  # noqa: N818 - named by what it says of the query
    """The server works, and will not evaluate this query; asked again, it says the same."""


@dataclass(frozen=True, slots=True)
class Series:
    """One element of an instant vector. `labels` are a stranger's words, `value` may be NaN."""

    labels: Mapping[str, str]
    value: float


class PrometheusClient:
    """One server. The connection is opened by the first question and kept.

    Raises:
        ValueError: `url` is not one, or holds a password, which errors and logs would show.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials | None = None,
        *,
        timeout_seconds: float = TIMEOUT_SECONDS,
        body_limit: int = BODY_LIMIT,
    ) -> None:
        self._url = _checked(url) + "/api/v1/query"
        self._credentials = credentials or Credentials()
        self._trust = Trust(self._credentials.ca_file)
        self._timeout_seconds = timeout_seconds
        self._body_limit = body_limit
        self._session: aiohttp.ClientSession | None = None

    async def query(self, promql: str, at: float | None = None) -> tuple[Series, ...]:
        """The vector that a query has now, or had at that Unix second.

        Elements that are no numbers are left out.

        Raises:
            PrometheusUnreachable: no answer, a late, an unauthorised or a senseless one.
            QueryRefused: the query itself is at fault.
        """
        try:
            async with asyncio.timeout(self._timeout_seconds):
                status, body = await self._post(promql, at)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise PrometheusUnreachable(f"{type(error).__name__}: {error}"[:TEXT_LIMIT]) from error
        return _vector(status, body)

    async def close(self) -> None:
        """Lets the connection go."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _post(self, promql: str, at: float | None) -> tuple[int, bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=8))
        form = {"query": promql, "timeout": f"{self._timeout_seconds:g}"}
        if at is not None:
            form["time"] = f"{at:.3f}"
        async with self._session.post(
            self._url,
            data=form,
            headers=self._credentials.headers(),
            allow_redirects=False,
            ssl=self._trust.context() or True,
        ) as answer:
            return answer.status, await self._read(answer)

    async def _read(self, answer: aiohttp.ClientResponse) -> bytes:
        body = bytearray()
        async for chunk in answer.content.iter_chunked(_CHUNK):
            body += chunk
            if len(body) > self._body_limit:
                answer.close()
                raise PrometheusUnreachable(f"the answer is longer than {self._body_limit} bytes")
        return bytes(body)


def _checked(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("the address of Prometheus is no URL: write http://HOST:PORT")
    if parts.username is not None:
        raise ValueError(f"no name or password in a URL: set {PREFIX}USERNAME and PASSWORD_FILE")
    return url.rstrip("/")


def _vector(status: int, body: bytes) -> tuple[Series, ...]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        said = None
    if not isinstance(said, dict):
        raise PrometheusUnreachable(f"HTTP {status} without a JSON object: is it a Prometheus?")
    if said.get("status") != "success":
        text = f"HTTP {status}: {said.get('errorType')}: {said.get('error')}"[:TEXT_LIMIT]
        if said.get("errorType") in _QUERY_FAULTS:
            raise QueryRefused(text)
        raise PrometheusUnreachable(text)
    data = said.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("result"), list):
        raise PrometheusUnreachable(f"HTTP {status} without a result")
    if data.get("resultType") != "vector":
        return ()
    return tuple(one for one in map(_series, data["result"]) if one is not None)


def _series(element: Any) -> Series | None:
    """One element; None for a histogram and for what makes no sense."""
    if not isinstance(element, dict):
        return None
    labels, pair = element.get("metric"), element.get("value")
    if not isinstance(labels, dict) or not isinstance(pair, list) or len(pair) != _PAIR:
        return None
    try:
        value = float(pair[1])
    except (TypeError, ValueError):
        return None
    return Series({name: text for name, text in labels.items() if isinstance(text, str)}, value)
