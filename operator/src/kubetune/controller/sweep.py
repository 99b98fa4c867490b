"""Looks for what no watch tells of: studies deleted meanwhile, and Jobs that outlived their study.

A watch that begins anew lists what there is, and says nothing of what is gone.
"""

import asyncio
import contextlib
import logging
from itertools import islice
from typing import TYPE_CHECKING

from kubetune.adapters.kubernetes.api import Api, ApiRefused, ApiUnreachable
from kubetune.adapters.kubernetes.executor import ClusterView
from kubetune.controller.studies import Studies

if TYPE_CHECKING:
    from collections.abc import Iterator

AT_ONCE = 50
"""So many studies are asked for in one sweep: with 500 of them each is asked for in ten."""

_NOT_FOUND = 404

log = logging.getLogger(__name__)


class Sweep:
    """Asks the API server for some of the studies, in turn, and hands on what it says of each."""

    def __init__(self, studies: Studies, view: ClusterView, api: Api) -> None:
        self._studies = studies
        self._view = view
        self._api = api
        self._turn: Iterator[str] = iter(())

    async def run(self, every_seconds: float) -> None:
        """Sweeps for ever."""
        while True:
            await asyncio.sleep(every_seconds)
            try:
                await self.sweep()
            except Exception:
                log.exception("a sweep broke, the next one comes")

    async def sweep(self) -> None:
        """One round; what cannot be asked now is asked in another."""
        for uid in {*self._next(), *filter(self._left, self._studies.without_loop)}:
            with contextlib.suppress(ApiUnreachable, ApiRefused):
                await self._ask(uid)

    def _next(self) -> list[str]:
        """The studies whose turn it is, in an order that comes to each."""
        found = list(islice(self._turn, AT_ONCE))
        if len(found) < AT_ONCE:
            self._turn = iter(list(self._studies.known))
        return found

    def _left(self, uid: str) -> bool:
        """Whether a Job of an ended study is there, and nobody has told it to go."""
        study = self._studies.without_loop[uid]
        jobs = (job for job in self._view.jobs(uid) if job.deleted_at is None)
        return any(job.is_of(study.namespace, study.name, study.uid) for job in jobs)

    async def _ask(self, uid: str) -> None:
        """Hands on what there is of a study, unless a watch tells meanwhile that it is gone."""
        reference = self._studies.known.get(uid)
        if reference is None:
            return
        try:
            body = await self._api.request("GET", reference.path)
        except ApiRefused as refused:
            if refused.status != _NOT_FOUND:
                raise
            self._studies.gone(uid)
            return
        if uid not in self._studies.known:
            return
        if body["metadata"]["uid"] != uid:
            self._studies.gone(uid)
        leftovers = uid in self._studies.without_loop and self._left(uid)
        self._studies.saw(body, leftovers=leftovers)
