"""One write of a study's status: server-side apply, and what an answer means."""

import logging
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any

from kubetune.adapters.kubernetes.api import APPLY, Api, ApiRefused, ApiUnreachable
from kubetune.adapters.kubernetes.plain import text
from kubetune.adapters.kubernetes.reference import API_VERSION, KIND, Reference

log = logging.getLogger(__name__)

FIELD_MANAGER = "kubetune"

_FORBIDDEN, _NOT_FOUND, _CONFLICT = 403, 404, 409
_CONFLICTS = 5
"""So many changes by others in the midst of one write are nothing unusual."""


class Written(Enum):
    """What became of a write."""

    DONE = auto()
    LATER = auto()
    GONE = auto()


class StudyGone(Exception):  # noqa: N818 - named by what it says of the study
    """The study was deleted; there may be another of its name."""


class StatusWriter:
    """Writes whole statuses of one study; each trouble is logged once, and its end.

    A study that was deleted and made anew under the same name is never written to. A uid in the
    body would not prevent that: the API server ignores it where a status is applied. So each write
    names the resource's version, which it knows from the write before: no other object ever has
    the same. When others changed the resource meanwhile, it is read and written again.
    """

    def __init__(self, api: Api, study: Reference) -> None:
        self._api = api
        self._study = study
        self._version = ""
        self._trouble = ""

    async def write(self, status: Mapping[str, Any]) -> Written:
        """One request as a rule; never raises what the API server can answer."""
        try:
            await self._write(status)
        except StudyGone:
            log.debug("%s: deleted, its status is written no more", self._study)
            return Written.GONE
        except ApiUnreachable as error:
            return self._later(logging.WARNING, f"the API server does not answer: {error}")
        except ApiRefused as error:
            words = f"{error.status} {error.reason}: {error.message}"
            if error.status == _FORBIDDEN:
                words += "; the operator must get tuningstudies and patch tuningstudies/status"
            return self._later(logging.WARNING if error.passing else logging.ERROR, words)
        if self._trouble:
            log.info("%s: the status is written again", self._study)
        self._trouble = ""
        return Written.DONE

    async def _write(self, status: Mapping[str, Any]) -> None:
        for left in reversed(range(_CONFLICTS)):
            if not self._version:
                self._version = await self._read()
            try:
                self._version = await self._apply(status)
            except ApiRefused as error:
                if error.status == _NOT_FOUND:
                    raise StudyGone from error
                if error.status != _CONFLICT or not left:
                    raise
                self._version = ""
            else:
                return

    async def _apply(self, status: Mapping[str, Any]) -> str:
        """Writes on condition of the version; the new one."""
        meta = {
            "name": self._study.name,
            "namespace": self._study.namespace,
            "resourceVersion": self._version,
        }
        answer = await self._api.request(
            "PATCH",
            f"{self._study.path}/status",
            query={"fieldManager": FIELD_MANAGER, "force": "true"},
            body={"apiVersion": API_VERSION, "kind": KIND, "metadata": meta, "status": status},
            content_type=APPLY,
        )
        return text(answer, "metadata", "resourceVersion")

    async def _read(self) -> str:
        """The resource's version.

        Raises:
            StudyGone: it is not there, or another one is.
        """
        try:
            found = await self._api.request("GET", self._study.path)
        except ApiRefused as error:
            if error.status == _NOT_FOUND:
                raise StudyGone from error
            raise
        if text(found, "metadata", "uid") != self._study.uid:
            raise StudyGone
        return text(found, "metadata", "resourceVersion")

    def _later(self, level: int, words: str) -> Written:
        if words != self._trouble:
            log.log(level, "%s: the status is not written, tried again: %s", self._study, words)
        self._trouble = words
        return Written.LATER
