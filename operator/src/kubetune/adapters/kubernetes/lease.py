"""A lease: of several operators only the one that holds it tunes.

The client's own election writes local times as UTC and does not survive a broken connection; a
lease is two requests. Who holds it is judged by this process's own clock: a record that has not
changed for `seconds` is a dead holder's (client-go, `tools/leaderelection`).
"""

import asyncio
import logging
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kubetune.adapters.kubernetes.api import Api, ApiRefused, ApiUnreachable

log = logging.getLogger(__name__)

_NOT_FOUND, _CONFLICT = 404, 409


class Lease:
    """One candidate for a lease; `identity` must be no other's.

    It is renewed three times within `seconds`. Whoever cannot renew it for two thirds of them has
    lost it, before another may take it.
    """

    def __init__(
        self, api: Api, namespace: str, name: str, *, identity: str, seconds: float
    ) -> None:
        self._api = api
        self._namespace, self._name = namespace, name
        self._identity = identity
        self._seconds = seconds
        self._seen: tuple[Any, ...] = ()
        self._seen_at = 0.0
        self._held: Mapping[str, Any] | None = None

    def __str__(self) -> str:
        return f"lease {self._namespace}/{self._name}"

    async def acquire(self) -> None:
        """Returns when this process holds it; says once who else does.

        Raises:
            ApiRefused: this process may not have leases; the message is the server's.
        """
        said = None
        while True:
            holder = await self._try()
            if holder is None:
                return
            if holder != said:
                log.info("stands by: %s is held by %s", self, holder)
                said = holder
            await asyncio.sleep(self._seconds / 5)

    async def keep(self) -> str:
        """Renews it; returns, with the reason, when it is lost."""
        renewed_at = time.monotonic()
        reason = ""
        while time.monotonic() - renewed_at < self._seconds * 2 / 3:
            await asyncio.sleep(self._seconds / 3 if not reason else self._seconds / 15)
            try:
                holder = await self._try()
            except ApiRefused as error:
                reason = error.message
                continue
            if holder is None:
                renewed_at, reason = time.monotonic(), ""
            elif holder:
                return f"{self} was taken by {holder}"
            else:
                reason = "the API server does not answer"
        return f"{self} could not be renewed: {reason}"

    async def release(self) -> None:
        """Lets another have it at once; nothing when it is not held, or cannot be said."""
        held, self._held = self._held, None
        if held is None:
            return
        try:
            await self._write({**held, "spec": {**held["spec"], "holderIdentity": ""}})
        except (ApiRefused, ApiUnreachable, TimeoutError) as error:
            log.warning("%s was not released: %s", self, error)

    async def _try(self) -> str | None:
        """None when it is held now; else who holds it, no name when nobody could say."""
        try:
            async with asyncio.timeout(self._seconds / 3):
                return await self._ask()
        except (ApiUnreachable, TimeoutError):
            return ""
        except ApiRefused as error:
            if error.passing:
                return ""
            raise

    async def _ask(self) -> str | None:
        path = f"{self._path}/{self._name}"
        try:
            found = await self._api.request("GET", path)
        except ApiRefused as error:
            if error.status != _NOT_FOUND:
                raise
            found = {"metadata": {"name": self._name, "namespace": self._namespace}, "spec": {}}
        spec = found.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        seen = (holder, spec.get("renewTime"), spec.get("leaseTransitions"))
        now = time.monotonic()
        if seen != self._seen:
            self._seen, self._seen_at = seen, now
        lasts = float(spec.get("leaseDurationSeconds") or self._seconds)
        if holder not in {"", self._identity} and now - self._seen_at < lasts:
            return str(holder)
        try:
            self._held = await self._write({**found, "spec": self._spec(spec)})
        except ApiRefused as error:
            if error.status != _CONFLICT:
                raise
            return str(holder or "another one")
        return None

    def _spec(self, spec: Mapping[str, Any]) -> dict[str, Any]:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        mine = spec.get("holderIdentity") == self._identity
        changes = int(spec.get("leaseTransitions") or 0)
        return {
            "holderIdentity": self._identity,
            "leaseDurationSeconds": max(1, round(self._seconds)),
            "acquireTime": spec.get("acquireTime") if mine else now,
            "renewTime": now,
            "leaseTransitions": changes if mine or not spec else changes + 1,
        }

    async def _write(self, lease: Mapping[str, Any]) -> Mapping[str, Any]:
        """Creates it, or replaces the very one that was read."""
        body = {**lease, "apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
        if "resourceVersion" in lease["metadata"]:
            return await self._api.request("PUT", f"{self._path}/{self._name}", body=body)
        return await self._api.request("POST", self._path, body=body)

    @property
    def _path(self) -> str:
        return f"/apis/coordination.k8s.io/v1/namespaces/{self._namespace}/leases"
