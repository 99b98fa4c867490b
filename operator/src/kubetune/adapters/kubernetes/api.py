"""Requests to the API server: plain data in and out, errors named by what to do next."""

import asyncio
import contextlib
import json
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import getproxies_environment

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration
from kubernetes.aio.client.exceptions import ApiException
from kubernetes.aio.config import (
    list_kube_config_contexts,
    load_incluster_config,
    load_kube_config,
)
from kubernetes.aio.config.config_exception import ConfigException
from kubernetes.aio.config.kube_config import KUBE_CONFIG_DEFAULT_LOCATION

from kubetune.domain.ports import ExecutorUnreachable

JSON = "application/json"
APPLY = "application/apply-patch+yaml"
MERGE = "application/merge-patch+json"

TIMEOUT_SECONDS = 30.0

_POD_NAMESPACE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")

LONGEST_REST_SECONDS = 30.0
"""However long a busy server asks to be left alone, it is asked again after this."""

OnRequest = Callable[[str, str, int, float], None]
"""Told after each request: method, path and query, HTTP status (0 without an answer), seconds."""


class ApiRefused(Exception):  # noqa: N818 - named by what it says of the request
    """The API server answered and did not do it.

    `status` is the HTTP status, `reason` the server's word (`AlreadyExists`, `Conflict`,
    `Invalid` ...), `message` its sentence.
    """

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.reason = reason
        self.message = message

    @property
    def passing(self) -> bool:
        """Whether the same request may be answered differently in a while."""
        return self.status in {408, 429} or self.status >= 500  # noqa: PLR2004 - HTTP's own numbers


class ApiUnreachable(ExecutorUnreachable):
    """No answer; whether the request was carried out is unknown."""


class Api:
    """One connection to an API server.

    After an answer with `Retry-After` no request is sent until then. Bodies are dictionaries, not
    the client's models: those refuse fields newer than the client.
    """

    def __init__(self, client: ApiClient, on_request: OnRequest | None = None) -> None:
        self._client = client
        self._on_request = on_request
        self._rests_until = 0.0

    @classmethod
    async def connect(
        cls,
        *,
        kubeconfig: Path | None = None,
        context: str | None = None,
        on_request: OnRequest | None = None,
    ) -> "Api":
        """Connects as the pod's service account, else by `kubeconfig` or the usual one.

        With a `context` of it, or its current one.

        The environment is asked for a proxy once: with every request it would be read anew, and a
        netrc file with it.

        Raises:
            ApiUnreachable: there is no configuration; the message says what to set.
        """
        configuration = Configuration()
        configuration.connection_pool_maxsize = 32
        configuration.client_session_kwargs = {"trust_env": bool(getproxies_environment())}
        try:
            await _configure(configuration, kubeconfig, context)
        except Exception as error:  # whatever the client makes of a broken file
            reason = " ".join(str(error).split())[:300]
            text = f"no cluster to talk to: {reason}; set KUBECONFIG or pass --kubeconfig"
            raise ApiUnreachable(text) from error
        return cls(ApiClient(configuration), on_request)

    async def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Mapping[str, Any] | None = None,
        content_type: str = JSON,
    ) -> dict[str, Any]:
        """Makes one request, once; not before the server wants any.

        Raises:
            ApiRefused: the server said no.
            ApiUnreachable: the server said nothing.
        """
        if query:
            path = f"{path}?{urlencode(query)}"
        await self._rest()
        started, status = time.monotonic(), 0
        try:
            status, text = await self._send(method, path, body, content_type)
        finally:
            if self._on_request:
                self._on_request(method, path, status, time.monotonic() - started)
        if status >= 400:  # noqa: PLR2004 - HTTP's own numbers
            raise _refused(status, text)
        try:
            return _object(text)
        except ValueError as error:
            raise ApiUnreachable(f"no API server: it answers {text[:100]!r}") from error

    async def close(self) -> None:
        """Lets the connection go."""
        await self._client.close()

    async def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None,
        content_type: str,
    ) -> tuple[int, bytes]:
        url = self._client.configuration.host + path
        headers = {"Accept": JSON, "Content-Type": content_type}
        try:
            await self._client.update_params_for_auth(
                headers, [], ["BearerToken"], path, method, body
            )
            response = await self._client.rest_client.request(
                method, url, headers=headers, body=body, _request_timeout=TIMEOUT_SECONDS
            )
            self._heed(response.headers.get("Retry-After", ""))
            return response.status, await response.read()
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise ApiUnreachable(f"{type(error).__name__}: {error}"[:300]) from error
        except ApiException as error:
            raise ApiUnreachable(str(error)[:300]) from error

    def _heed(self, wish: str) -> None:
        """Takes a wish for rest: whole seconds, as API servers spell it."""
        if wish.isascii() and wish.isdigit():
            seconds = min(float(wish), LONGEST_REST_SECONDS)
            self._rests_until = max(self._rests_until, time.monotonic() + seconds)

    async def _rest(self) -> None:
        seconds = self._rests_until - time.monotonic()
        if seconds > 0:
            await asyncio.sleep(seconds)


def usual_namespace(kubeconfig: Path | None = None, context: str | None = None) -> str:
    """The namespace that a context stands for, or a pod is in; `default` where nothing says so."""
    if not (kubeconfig or context) and _POD_NAMESPACE.is_file():
        return _POD_NAMESPACE.read_text().strip()
    try:
        known, current = list_kube_config_contexts(str(kubeconfig) if kubeconfig else None)
    except ConfigException:
        return "default"
    meant = next((one for one in known if one["name"] == context), current)
    return str(meant["context"].get("namespace") or "default")


async def _configure(
    configuration: Configuration, kubeconfig: Path | None, context: str | None
) -> None:
    """Fills in where the cluster is and who we are; raises whatever a broken file leads to."""
    if kubeconfig is None and context is None:
        with contextlib.suppress(ConfigException):
            load_incluster_config(client_configuration=configuration)
            return
    where = str(kubeconfig or KUBE_CONFIG_DEFAULT_LOCATION)
    if not _any_file(where):
        raise ConfigException(f"there is no kubeconfig {where}")
    await load_kube_config(where, context=context, client_configuration=configuration)


def _any_file(where: str) -> bool:
    """Whether one of the files is there that a KUBECONFIG lists."""
    return any(Path(name).expanduser().is_file() for name in where.split(os.pathsep) if name)


def _object(text: bytes) -> dict[str, Any]:
    found = json.loads(text) if text else {}
    return found if isinstance(found, dict) else {}


def _refused(status: int, text: bytes) -> ApiRefused:
    try:
        said = _object(text)
    except ValueError:
        said = {}
    message = said.get("message") or text.decode(errors="replace")[:300] or f"HTTP {status}"
    return ApiRefused(status, said.get("reason") or "", message)
