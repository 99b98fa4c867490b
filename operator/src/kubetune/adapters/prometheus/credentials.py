"""How the operator shows a Prometheus server who it is. Secrets are never logged."""

import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PREFIX = "KUBETUNE_PROMETHEUS_"
"""Environment variables: TOKEN_FILE, USERNAME, PASSWORD or PASSWORD_FILE, CA_FILE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """A bearer token, or a name and password; none by default.

    Files are read anew for each question: a mounted token is replaced while the operator runs.
    `ca_file` holds the authorities to trust instead of the machine's own.
    """

    token_file: Path | None = None
    username: str = ""
    password: str = field(default="", repr=False)
    password_file: Path | None = None
    ca_file: Path | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Credentials":
        """What the operator's environment says; empty values count as absent."""

        def path(name: str) -> Path | None:
            text = environment.get(PREFIX + name, "")
            return Path(text) if text else None

        return cls(
            token_file=path("TOKEN_FILE"),
            username=environment.get(PREFIX + "USERNAME", ""),
            password=environment.get(PREFIX + "PASSWORD", ""),
            password_file=path("PASSWORD_FILE"),
            ca_file=path("CA_FILE"),
        )

    def headers(self) -> dict[str, str]:
        """The Authorization header, if any.

        Raises:
            OSError: a file cannot be read.
        """
        if self.token_file:
            return {"Authorization": f"Bearer {self.token_file.read_text().strip()}"}
        if self.username:
            password = self.password
            if self.password_file:
                password = self.password_file.read_text().rstrip("\n")
            pair = b64encode(f"{self.username}:{password}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        return {}


class Trust:
    """The authorities of `ca_file`, read again when the file has changed; the machine's without."""

    def __init__(self, ca_file: Path | None) -> None:
        self._file = ca_file
        self._read_at = 0
        self._context: ssl.SSLContext | None = None

    def context(self) -> ssl.SSLContext | None:
        """What to verify a server with; the same object while the file is the same.

        Raises:
            OSError: the file cannot be read, or holds no certificate.
        """
        if self._file is None:
            return None
        changed_at = self._file.stat().st_mtime_ns
        if self._context is None or changed_at != self._read_at:
            self._context = ssl.create_default_context(cafile=str(self._file))
            self._read_at = changed_at
        return self._context
