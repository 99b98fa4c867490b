"""Runs attempts as processes of this machine, under the trial contract."""

import asyncio
import contextlib
import logging
import os
from collections import deque
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any

from kubetune.adapters.local.adoption import left_behind
from kubetune.adapters.local.attempt import Attempt, new_uid
from kubetune.adapters.local.container import Container, LaunchRefused, trainer
from kubetune.adapters.local.ending import STOPPED, escalate, finish, kill
from kubetune.adapters.local.environment import inherited
from kubetune.adapters.local.files import Record, RunFiles, drop_checkpoint, find_checkpoints
from kubetune.adapters.local.gpus import Gpus, find_gpus
from kubetune.adapters.local.logs import trim
from kubetune.adapters.local.starting import free_port, start
from kubetune.domain.ports import LaunchOrder
from kubetune.domain.runs import Run

log = logging.getLogger(__name__)

TEND_SECONDS = 1.0
"""How often the logs of live trials are looked at."""

CLOSE_SECONDS = 10.0
"""How long `close` waits after the grace period for processes that the kernel does not let go."""


class LocalExecutor:
    """The Executor port over one folder and the processes begun from it.

    `folder` holds every trial's files (see `files`); `workdir` is where the commands run.
    `parallelism` decides a trial's share of the cores; `grace_seconds` pass between SIGTERM and
    SIGKILL. One executor at a time may use a folder. Processes outlive an executor that is
    killed: the next one on the same folder finds them.
    """

    def __init__(
        self, folder: Path, workdir: Path, *, parallelism: int, grace_seconds: float
    ) -> None:
        self._folder = folder.resolve()
        self._workdir = workdir.resolve()
        self._grace_seconds = grace_seconds
        self._inherited = inherited(os.environ, parallelism)
        self._attempts: dict[tuple[int, int], Attempt] = {}
        self._queue: deque[tuple[Attempt, LaunchOrder, Container]] = deque()
        self._checkpoints: set[int] = set()
        self._gpus: Gpus | None = None
        self._gpus_asked = 0
        self._changed = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._opened = self._tending = self._closed = False

    @property
    def capacity(self) -> int | None:
        """How many trials the GPUs can hold at once; None when nothing limits it.

        Known from the first launch on; a trial launched beyond it waits as Pending.
        """
        if self._gpus is None or not self._gpus.devices or not self._gpus_asked:
            return None
        return len(self._gpus.devices) // self._gpus_asked

    async def runs(self) -> tuple[Run, ...]:
        """Every run that is not removed, in order of trials and attempts."""
        self._open()
        return tuple(attempt.run for _, attempt in sorted(self._attempts.items()))

    async def launch(self, order: LaunchOrder) -> None:
        """Starts an attempt, or lets it wait for GPUs; a no-op when it exists."""
        self._open()
        key = order.trial.number, order.trial.attempt
        if self._closed or key in self._attempts:
            return
        record = Record(number=key[0], attempt=key[1], uid=new_uid())
        attempt = self._attempts[key] = Attempt(RunFiles(self._folder, *key), record)
        try:
            container = trainer(order.spec.template)
            await self._find_gpus(container.gpus)
        except LaunchRefused as error:
            self._end(attempt, launch_error=str(error))
            return
        self._checkpoints.add(key[0])
        attempt.waiting = f"waits for {container.gpus} GPU"
        self._queue.append((attempt, order, container))
        self._start_waiting()

    async def stop(self, number: int, attempt: int, uid: str, why: str) -> None:
        """Tells the run to end and kills it after the grace period; returns at once."""
        self._open()
        found = self._find(number, attempt, uid)
        if found is None or found.ended or found.record.stopping:
            return
        log.info("trial %d, attempt %d is stopped: %s", number, attempt, why)
        if found.live:
            self._terminate(found)
        else:
            self._queue = deque(waiting for waiting in self._queue if waiting[0] is not found)
            self._end(found, STOPPED)

    async def remove(self, number: int, attempt: int, uid: str) -> None:
        """Forgets an ended run; its output and its checkpoint stay."""
        self._open()
        found = self._find(number, attempt, uid)
        if found is not None and found.ended:
            found.files.retire()
            del self._attempts[number, attempt]

    async def checkpoints(self) -> frozenset[int]:
        """The trials that have a checkpoint folder here."""
        self._open()
        return frozenset(self._checkpoints)

    async def drop_checkpoint(self, number: int) -> None:
        """Deletes a trial's checkpoint folder with all that is in it."""
        self._open()
        self._checkpoints.discard(number)
        await asyncio.to_thread(drop_checkpoint, self._folder, number)

    async def changed(self, timeout_seconds: float) -> None:
        """Returns when a run has ended, or one that waited began, or after the timeout."""
        self._open()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), timeout_seconds)
        self._changed.clear()

    async def close(self) -> None:
        """Ends what still runs: SIGTERM, the grace period, SIGKILL, to all at the same time.

        A run that was told to stop before is killed now: whoever closes then does not want to
        wait. Cancelled while it waits, it kills at once. May be repeated.
        """
        self._open()
        self._closed = True
        live = [attempt for attempt in self._attempts.values() if not attempt.ended]
        try:
            kill(attempt for attempt in live if attempt.record.stopping)
            for attempt in live:
                record = attempt.record
                await self.stop(record.number, record.attempt, record.uid, "the study is closed")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._grace_seconds + CLOSE_SECONDS):
                    await asyncio.gather(*(attempt.over.wait() for attempt in live))
        except asyncio.CancelledError:
            kill(attempt for attempt in live if attempt.live)
            raise
        for task in self._tasks:
            task.cancel()
        for attempt in live:
            attempt.release()

    def _open(self) -> None:
        """Finds, once, what an earlier tuner began."""
        if self._opened:
            return
        self._opened = True
        self._checkpoints = find_checkpoints(self._folder)
        for attempt in left_behind(self._folder):
            record = attempt.record
            self._attempts[record.number, record.attempt] = attempt
            if attempt.live:
                if record.gpus:
                    self._gpus = self._gpus or Gpus(find_gpus(os.environ))
                    self._gpus.hold(record.gpus)
                    self._gpus_asked = len(record.gpus)
                self._follow(attempt)
                if record.stopping:
                    self._terminate(attempt)

    async def _find_gpus(self, count: int) -> None:
        """Learns what GPUs there are when a trial asks for some.

        Raises:
            LaunchRefused: it asks for more than the machine has.
        """
        if not count:
            return
        if self._gpus is None:
            devices = await asyncio.to_thread(find_gpus, os.environ)
            self._gpus = self._gpus or Gpus(devices)
            if not devices:
                log.warning("trials ask for %d GPU, this machine has none: they run without", count)
        available = len(self._gpus.devices)
        if 0 < available < count:
            raise LaunchRefused(
                f"nvidia.com/gpu is {count}, this machine has {available}: ask for fewer"
            )
        self._gpus_asked = count

    def _start_waiting(self) -> None:
        """Starts those whose turn it is, in order; the others wait for GPUs."""
        while self._queue and not self._closed:
            attempt, order, container = self._queue[0]
            gpus = self._gpus.take(container.gpus) if self._gpus else ()
            if gpus is None:
                return
            self._queue.popleft()
            taken = {attempt.record.port for attempt in self._attempts.values() if attempt.live}
            attempt.record = replace(attempt.record, gpus=gpus)
            try:
                attempt.record = replace(attempt.record, port=free_port(taken))
                start(attempt, order, container, inherited=self._inherited, workdir=self._workdir)
            except (LaunchRefused, OSError) as error:
                self._end(attempt, launch_error=str(error))
            else:
                self._follow(attempt)

    def _follow(self, attempt: Attempt) -> None:
        attempt.watch(lambda: self._go(self._finish(attempt)))
        if not self._tending:
            self._tending = True
            self._go(self._tend())

    def _terminate(self, attempt: Attempt) -> None:
        attempt.terminate()
        self._go(escalate(attempt, self._grace_seconds))

    async def _finish(self, attempt: Attempt) -> None:
        await finish(attempt, self._grace_seconds)
        self._ended(attempt)

    def _end(self, attempt: Attempt, code: int | None = None, *, launch_error: str = "") -> None:
        attempt.end(code, launch_error=launch_error)
        self._ended(attempt)

    def _ended(self, attempt: Attempt) -> None:
        if self._gpus is not None:
            self._gpus.free(attempt.record.gpus)
        self._changed.set()
        self._start_waiting()

    async def _tend(self) -> None:
        """Keeps the logs of live trials within bounds."""
        while True:
            await asyncio.sleep(TEND_SECONDS)
            for attempt in list(self._attempts.values()):
                if attempt.live:
                    await asyncio.to_thread(trim, attempt.files.log)

    def _find(self, number: int, attempt: int, uid: str) -> Attempt | None:
        found = self._attempts.get((number, attempt))
        return found if found is not None and found.record.uid == uid else None

    def _go(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
