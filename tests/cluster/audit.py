"""What the API server itself notes of an operator's requests: the judge of rights and of thrift."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.cluster import users

WRITES = frozenset({"create", "update", "patch", "delete", "deletecollection"})

FORBIDDEN = 403

_NO_RIGHTS = ("because it is being terminated", "exceeded quota", "no matches for kind")
"""What is said of a namespace in which nothing new is made, and of a kind defined just now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One answered request. `resource` is such as `jobs` or `tuningstudies/status`.

    `message` are the words of a refusal.
    """

    verb: str
    resource: str
    namespace: str
    name: str
    code: int
    uri: str
    message: str = ""

    @property
    def writes(self) -> bool:
        """Whether it was to change something."""
        return self.verb in WRITES and "dryRun=All" not in self.uri

    @property
    def lacks_right(self) -> bool:
        """Whether it was refused for want of a right, not because of the moment."""
        return self.code == FORBIDDEN and not any(words in self.message for words in _NO_RIGHTS)


def write_policy(path: Path) -> None:
    """Notes who asked for what and what came of it, of operators alone; no bodies.

    An operator is the token file's user, or an account of the chart's usual namespace.
    """
    operators = {
        "level": "Metadata",
        "userGroups": [f"system:serviceaccounts:{users.INSTALLED_IN}"],
    }
    policy = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived", "ResponseStarted"],
        "rules": [
            {"level": "Metadata", "users": [users.OPERATOR]},
            operators,
            {"level": "None"},
        ],
    }
    path.write_text(json.dumps(policy))


def read(path: Path, user: str) -> list[Request]:
    """The requests of one user, in order of their answers."""
    if not path.exists():
        return []
    with path.open() as lines:
        events = [json.loads(line) for line in lines if line.endswith("\n")]
    return [_request(event) for event in events if event["user"].get("username") == user]


def _request(event: dict[str, Any]) -> Request:
    found = event.get("objectRef") or {}
    parts = [found.get("resource", ""), found.get("subresource", "")]
    return Request(
        verb=event["verb"],
        resource="/".join(part for part in parts if part),
        namespace=found.get("namespace", ""),
        name=found.get("name", ""),
        code=(event.get("responseStatus") or {}).get("code", 0),
        uri=event.get("requestURI", ""),
        message=(event.get("responseStatus") or {}).get("message", ""),
    )
