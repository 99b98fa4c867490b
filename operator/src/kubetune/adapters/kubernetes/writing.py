"""One write of a study's status: server-side apply, and what an answer means."""

import logging
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from kubetune.adapters.kubernetes.api import APPLY, Api, ApiRefused, ApiUnreachable
from kubetune.adapters.kubernetes.reference import API_VERSION, KIND, Reference

log = logging.getLogger(__name__)

FIELD_MANAGER = "kubetune"

_FORBIDDEN, _NOT_FOUND, _CONFLICT = 403, 404, 409


class Written(Enum):
    """What became of a write."""

    DONE = auto()
    LATER = auto()
    GONE = auto()


class StatusWriter:
    """Writes whole statuses of one study.

    The uid in the body is a precondition: a study that was deleted and made anew under the same
    name is never written to. Each trouble is logged once, and its end.
    """

    def __init__(self, api: Api, study: Reference) -> None:
        self._api = api
        self._study = study
        self._trouble = ""

    async def write(self, status: Mapping[str, Any]) -> Written:
        """One request; never raises what the API server can answer."""
        study = self._study
        body = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": study.name, "namespace": study.namespace, "uid": study.uid},
            "status": status,
        }
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        try:
            await self._api.request(
                "PATCH", f"{study.path}/status", query=query, body=body, content_type=APPLY
            )
        except ApiUnreachable as error:
            return self._later(logging.WARNING, f"the API server does not answer: {error}")
        except ApiRefused as error:
            return await self._refused(error)
        if self._trouble:
            log.info("%s: the status is written again", study)
        self._trouble = ""
        return Written.DONE

    async def _refused(self, error: ApiRefused) -> Written:
        if error.status == _NOT_FOUND or (error.status == _CONFLICT and await self._replaced()):
            log.debug("%s: deleted, its status is written no more", self._study)
            return Written.GONE
        words = f"{error.status} {error.reason}: {error.message}"
        if error.status == _FORBIDDEN:
            words += "; the operator needs the right to patch tuningstudies/status"
        return self._later(logging.WARNING if error.passing else logging.ERROR, words)

    async def _replaced(self) -> bool:
        """Whether the study is gone, or another one has its name."""
        try:
            found = await self._api.request("GET", self._study.path)
        except ApiUnreachable:
            return False
        except ApiRefused as error:
            return error.status == _NOT_FOUND
        return bool(found.get("metadata", {}).get("uid") != self._study.uid)

    def _later(self, level: int, words: str) -> Written:
        if words != self._trouble:
            log.log(level, "%s: the status is not written, tried again: %s", self._study, words)
        self._trouble = words
        return Written.LATER
