"""Small blocking requests to a server of the cluster."""

import json
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

WAIT_SECONDS = 90.0
"""Longer than anything here takes on a busy machine: past it something hangs."""

_TIMEOUT_SECONDS = 30.0


class Refused(Exception):  # noqa: N818 - named by what it says of the request
    """The server answered and did not do it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Server:
    """One HTTP server.

    `verify=False` is for health checks of servers that make a certificate in memory; no token is
    sent to such a one.
    """

    def __init__(
        self,
        url: str,
        *,
        token: str | None = None,
        authority: Path | None = None,
        verify: bool = True,
    ) -> None:
        assert verify or token is None
        self.url = url
        self._token = token
        trust = ssl.create_default_context(cafile=authority)
        trust.check_hostname = verify
        trust.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
        )

    def text(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> str:
        """One request's answer.

        Raises:
            Refused: the answer is not of 2xx.
            OSError: there is no answer.
        """
        headers = {"Content-Type": kind}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with self._opener.open(request, timeout=_TIMEOUT_SECONDS) as answer:
                return str(answer.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                raise Refused(error.code, error.read().decode(errors="replace")) from None

    def json(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Any:
        """One request's answer, read as JSON; raises as `text` does."""
        return json.loads(self.text(method, path, body, kind))

    def healthy(self, path: str) -> bool:
        """Whether a health check answers well."""
        try:
            self.text("GET", path)
        except (OSError, Refused):
            return False
        return True


def wait_until(done: Callable[[], object], what: str, seconds: float = WAIT_SECONDS) -> None:
    """Asks twenty times a second until it holds.

    Raises:
        TimeoutError: it did not within the time; the message names what was waited for.
    """
    give_up_at = time.monotonic() + seconds
    while not done():
        if time.monotonic() > give_up_at:
            raise TimeoutError(f"waited {seconds:.0f} s in vain for {what}")
        time.sleep(0.05)
