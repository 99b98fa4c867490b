"""Runs attempts as Jobs of a cluster, under the trial contract."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from typing import Protocol

from kubetune.adapters.kubernetes import names
from kubetune.adapters.kubernetes.api import Api, ApiRefused, ApiUnreachable
from kubetune.adapters.kubernetes.beginnings import Beginnings
from kubetune.adapters.kubernetes.census import census
from kubetune.adapters.kubernetes.creation import LaunchRefused, create
from kubetune.adapters.kubernetes.job import StudyObject, render
from kubetune.adapters.kubernetes.memory import Memory
from kubetune.adapters.kubernetes.runs import SETTLE_SECONDS
from kubetune.adapters.kubernetes.seen import JobSeen, PodSeen
from kubetune.domain.ports import Clock, ExecutorBusy, LaunchOrder
from kubetune.domain.runs import Run, RunState

log = logging.getLogger(__name__)

CLOSE_SECONDS = 120.0
"""How long `close` waits for runs that it told to stop."""

_NOT_FOUND, _CONFLICT = 404, 409


class ClusterView(Protocol):
    """What watches have shown of all studies so far: a little late, and without a request.

    Whoever feeds it wakes the study's executor after each change.
    """

    def jobs(self, study_uid: str) -> Iterable[JobSeen]:
        """The Jobs that are labelled with this study."""

    def pods(self, study_uid: str) -> Iterable[PodSeen]:
        """The pods that are labelled with this study."""


class KubernetesExecutor:
    """The Executor port over the Jobs of one study.

    A launch is one request, a stop and a removal together one more. What was done counts until the
    `view` shows it. Nothing is kept that a restart needs: the next executor finds every run but
    those whose launch was refused, and is refused again. `on_start` is told of each run that
    begins how many seconds its Job has waited.
    """

    def __init__(
        self,
        api: Api,
        study: StudyObject,
        view: ClusterView,
        clock: Clock,
        *,
        on_start: Callable[[float], None] = lambda _: None,
    ) -> None:
        self._api = api
        self._study = study
        self._view = view
        self._clock = clock
        self._memory = Memory(study)
        self._beginnings = Beginnings(on_start)
        self._changed = asyncio.Event()
        self._closed = False

    @property
    def capacity(self) -> int | None:
        """None: Jobs wait for the scheduler, or in a queue."""
        return None

    def wake(self) -> None:
        """A Job or pod of this study has changed. Called from the event loop's thread.

        To be called after each single change: a pod of a run that stops is gone as soon as it has
        said its last word.
        """
        if self._memory.ending:
            self._look()
        self._changed.set()

    async def runs(self) -> tuple[Run, ...]:
        """Every run that is not removed, in order of trials and attempts.

        Costs no request but where the view may have missed something.
        """
        found = self._look()
        if not self._memory.doubtful(self._clock.now()):
            return found
        await self._count()
        return self._look()

    async def launch(self, order: LaunchOrder) -> None:
        """Creates the Job of an attempt; a no-op when its run exists.

        Raises:
            ExecutorBusy, ApiUnreachable: not now (a quota, a busy server); try again later.
        """
        number, attempt = order.trial.number, order.trial.attempt
        if self._closed or self._memory.has(number, attempt):
            return
        try:
            job = await create(self._api, self._study, render(order, self._study))
        except LaunchRefused as error:
            self._memory.refused(number, attempt, str(error), self._clock.now())
            self._changed.set()
        except ApiRefused as error:
            raise ExecutorBusy(error.message) from error
        else:
            self._memory.created(job, self._clock.now())
            self._beginnings.created(job)

    async def stop(self, number: int, attempt: int, uid: str, why: str) -> None:
        """Deletes the Job, which stays until its pod has had its grace period and is gone.

        Raises:
            ExecutorBusy, ApiUnreachable: not now; try again later.
            ApiRefused: never, without rights that it does not have.
        """
        run = self._find(number, attempt, uid)
        if run is None or run.stopping or _ended(run):
            return
        study = f"{self._study.namespace}/{self._study.name}"
        log.info("%s: trial %d, attempt %d is stopped: %s", study, number, attempt, why)
        await self._delete(run, "Foreground")
        self._memory.stopped(uid)
        self._changed.set()

    async def remove(self, number: int, attempt: int, uid: str) -> None:
        """Deletes the Job of an ended run, unless `stop` did; what is left of it is not shown.

        Raises:
            ExecutorBusy, ApiUnreachable: not now; try again later.
            ApiRefused: never, without rights that it does not have.
        """
        run = self._find(number, attempt, uid)
        if run is None or not _ended(run):
            return
        if not run.stopping and not self._memory.is_refused(uid):
            await self._delete(run, "Background")
        self._memory.removed(uid, self._clock.now())

    async def checkpoints(self) -> frozenset[int]:
        """None that it knows of: they lie in the study's claim, which no operator mounts."""
        return frozenset()

    async def drop_checkpoint(self, number: int) -> None:
        """Does nothing: see `checkpoints`."""

    async def changed(self, timeout_seconds: float) -> None:
        """Returns when a Job or pod of the study has changed, or after the timeout.

        Sooner where the time alone will decide about a run.
        """
        wait_seconds = timeout_seconds
        if self._memory.unsettled:
            wait_seconds = min(timeout_seconds, SETTLE_SECONDS)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), wait_seconds)
        self._changed.clear()

    async def close(self) -> None:
        """Stops all runs and waits, for a bounded time, until they have ended.

        An operator that exits does not call it: its runs go on, and the next one finds them.
        """
        self._closed = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                while live := [run for run in await self.runs() if not _ended(run)]:
                    for run in live:
                        await self.stop(run.number, run.attempt, run.uid, "the study is closed")
                    await self.changed(1.0)

    def _look(self) -> tuple[Run, ...]:
        uid = self._study.uid
        jobs = tuple(self._view.jobs(uid))
        runs = self._memory.look(jobs, self._view.pods(uid), self._clock.now())
        self._beginnings.look(jobs, runs)
        return runs

    def _find(self, number: int, attempt: int, uid: str) -> Run | None:
        """A run as the last look showed it, which is what plans rest on; looks when it did not."""
        if uid not in self._memory.runs:
            self._look()
        run = self._memory.runs.get(uid)
        return run if run and (run.number, run.attempt) == (number, attempt) else None

    async def _count(self) -> None:
        """Asks the server what there is; without an answer the view counts as it is."""
        known, there = self._memory.known, self._memory.known
        with contextlib.suppress(ApiRefused, ApiUnreachable):
            there = await census(self._api, self._study)
        self._memory.counted(known, there, self._clock.now())

    async def _delete(self, run: Run, propagation: str) -> None:
        name = names.job_name(self._study.name, self._study.uid, run.number, run.attempt)
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": propagation,
            "preconditions": {"uid": run.uid},
        }
        try:
            await self._api.request("DELETE", f"{self._study.jobs_path}/{name}", body=options)
        except ApiRefused as error:
            conflict = error.status == _CONFLICT
            if error.passing or (conflict and await self._is_there(name, run.uid)):
                raise ExecutorBusy(error.message) from error
            if not conflict and error.status != _NOT_FOUND:
                raise
            self._memory.gone(run.uid)

    async def _is_there(self, name: str, uid: str) -> bool:
        """Whether a Job that cannot be deleted is still the one that is to go."""
        try:
            found = await self._api.request("GET", f"{self._study.jobs_path}/{name}")
        except ApiRefused as error:
            if error.status == _NOT_FOUND:
                return False
            raise ExecutorBusy(error.message) from error
        return JobSeen.of(found).uid == uid


def _ended(run: Run) -> bool:
    return run.state is RunState.ENDED
