"""Kubernetes events about a study: written once, counted when repeated."""

import hashlib
import secrets
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any

from kubetune.adapters.kubernetes.api import MERGE, Api, ApiRefused
from kubetune.adapters.kubernetes.digest import Notice
from kubetune.adapters.kubernetes.plain import text, whole
from kubetune.adapters.kubernetes.reference import Reference

COMPONENT = "kubetune"

_NOT_FOUND, _CONFLICT = 404, 409
_REMEMBERED = 64
"""So many events' counts are remembered; of others the API server is asked."""


class EventLog:
    """Writes notices about one study as events.

    An event's name is a function of what it says: the same words again find the event that is
    there, whoever wrote it, and add to its count.
    """

    def __init__(self, api: Api, study: Reference) -> None:
        self._api = api
        self._study = study
        self._instance = f"{COMPONENT}-{secrets.token_hex(8)}"
        self._counts: OrderedDict[str, int] = OrderedDict()

    async def write(self, notice: Notice) -> None:
        """Writes one notice; after ApiUnreachable the same one may be given again.

        Raises:
            ApiRefused: the server said no.
            ApiUnreachable: the server said nothing.
        """
        name = event_name(self._study, notice)
        if name in self._counts and await self._count(name, notice):
            return
        try:
            await self._api.request("POST", self._study.events_path, body=self._body(name, notice))
            self._remember(name, notice.count)
        except ApiRefused as error:
            if error.status != _CONFLICT:
                raise
            await self._find(name, notice)

    async def _find(self, name: str, notice: Notice) -> None:
        """Counts on from an event that stands there; to write to it tells what it says.

        One that a request of ours without an answer has left counts already.
        """
        found = await self._patch(name, {"lastTimestamp": _time(notice.last_at)})
        self._remember(name, whole(found, "count") or 0)
        ours = text(found, "reportingInstance") == self._instance
        if not (ours and text(found, "firstTimestamp") == _time(notice.first_at)):
            await self._count(name, notice)

    async def _count(self, name: str, notice: Notice) -> bool:
        """Adds to the count; False when the event has gone: they live for an hour."""
        count = self._counts[name] + notice.count
        try:
            await self._patch(name, {"count": count, "lastTimestamp": _time(notice.last_at)})
        except ApiRefused as error:
            if error.status != _NOT_FOUND:
                raise
            self._counts.pop(name, None)
            return False
        self._remember(name, count)
        return True

    async def _patch(self, name: str, change: dict[str, Any]) -> dict[str, Any]:
        path = f"{self._study.events_path}/{name}"
        return await self._api.request("PATCH", path, body=change, content_type=MERGE)

    def _remember(self, name: str, count: int) -> None:
        self._counts[name] = count
        self._counts.move_to_end(name)
        if len(self._counts) > _REMEMBERED:
            self._counts.popitem(last=False)

    def _body(self, name: str, notice: Notice) -> dict[str, Any]:
        return {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": self._study.namespace},
            "involvedObject": self._study.involved(),
            "type": "Warning" if notice.warning else "Normal",
            "reason": notice.reason.value,
            "message": notice.message,
            "action": "Reconcile",
            "count": notice.count,
            "firstTimestamp": _time(notice.first_at),
            "lastTimestamp": _time(notice.last_at),
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
            "reportingInstance": self._instance,
        }


def event_name(study: Reference, notice: Notice) -> str:
    """`<study>.<hash of what it says>`: one name for the same words about the same study."""
    said = "\0".join((study.uid, notice.reason.value, str(notice.warning), notice.message))
    digest = hashlib.sha256(said.encode()).hexdigest()[:16]
    return f"{study.name[:200].rstrip('-.')}.{digest}"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
