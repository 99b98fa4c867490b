"""Kubernetes events about a study: written once, counted when repeated."""

import hashlib
from collections import OrderedDict
from datetime import UTC, datetime
from typing import Any

from kubetune.adapters.kubernetes.api import MERGE, Api, ApiRefused, ApiUnreachable
from kubetune.adapters.kubernetes.digest import Notice
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
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._uncertain = ""

    async def write(self, notice: Notice) -> None:
        """Writes one notice; after ApiUnreachable the same one may be given again.

        Raises:
            ApiRefused: the server said no.
            ApiUnreachable: the server said nothing.
        """
        name = event_name(self._study, notice)
        try:
            await self._write(name, notice)
        except ApiUnreachable:
            self._uncertain = name
            raise
        self._uncertain = ""

    async def _write(self, name: str, notice: Notice) -> None:
        if name in self._counts and await self._count(name, notice, self._counts[name]):
            return
        try:
            await self._api.request("POST", self._study.events_path, body=self._body(name, notice))
        except ApiRefused as error:
            if error.status != _CONFLICT:
                raise
            told = await self._told(name)
            if name == self._uncertain:
                self._remember(name, told)
            else:
                await self._count(name, notice, told)
        else:
            self._remember(name, notice.count)

    async def _told(self, name: str) -> int:
        """How often an event that stands there says that it happened."""
        found = await self._api.request("GET", f"{self._study.events_path}/{name}")
        return int(found.get("count") or 0)

    async def _count(self, name: str, notice: Notice, before: int) -> bool:
        """Adds to the count; False when the event has gone: they live for an hour."""
        count = before + notice.count
        change = {"count": count, "lastTimestamp": _time(notice.last_at)}
        try:
            await self._api.request(
                "PATCH", f"{self._study.events_path}/{name}", body=change, content_type=MERGE
            )
        except ApiRefused as error:
            if error.status != _NOT_FOUND:
                raise
            self._counts.pop(name, None)
            return False
        self._remember(name, count)
        return True

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
        }


def event_name(study: Reference, notice: Notice) -> str:
    """`<study>.<hash of what it says>`: one name for the same words about the same study."""
    said = "\0".join((study.uid, notice.reason.value, str(notice.warning), notice.message))
    digest = hashlib.sha256(said.encode()).hexdigest()[:16]
    return f"{study.name[:200].rstrip('-.')}.{digest}"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
