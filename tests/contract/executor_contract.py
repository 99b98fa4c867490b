"""What every executor promises to the engine: a test class that each implementation inherits."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import pytest

from kubetune.domain.ports import Executor, LaunchOrder
from kubetune.domain.runs import Run, RunState

WAIT_SECONDS = 60


class ExecutorKit(Protocol):
    """One executor and the means to make its runs do what a test needs."""

    executor: Executor

    def order(self, number: int, attempt: int = 1) -> LaunchOrder:
        """A run that goes on until `finish` or `stop`."""

    async def finish(self, run: Run) -> None:
        """Makes a run end with exit code 0 and the message `done`."""

    async def obey(self, run: Run) -> None:
        """Lets a run that was told to stop end with 143, where it does not by itself."""


class ExecutorContract:
    """The rules. A subclass gives `open_kit`."""

    def open_kit(self, folder: Path) -> AbstractAsyncContextManager[ExecutorKit]:
        raise NotImplementedError

    @pytest.fixture
    async def kit(self, tmp_path: Path) -> AsyncIterator[ExecutorKit]:
        async with self.open_kit(tmp_path) as kit:
            yield kit

    async def test_begins_empty(self, kit: ExecutorKit) -> None:
        """Without a launch there is no run."""
        assert await kit.executor.runs() == ()

    async def test_launched_run_is_seen(self, kit: ExecutorKit) -> None:
        """A launched run is there, running, with a start and an identity, and has no end."""
        await kit.executor.launch(kit.order(3, attempt=2))
        run = await _only(kit.executor)
        assert (run.number, run.attempt, run.state) == (3, 2, RunState.RUNNING)
        assert run.uid
        assert run.started_at is not None
        assert (run.ended_at, run.exit, run.stopping) == (None, None, False)

    async def test_launch_is_idempotent(self, kit: ExecutorKit) -> None:
        """A second launch of the same attempt changes nothing."""
        await kit.executor.launch(kit.order(0))
        before = await _only(kit.executor)
        await kit.executor.launch(kit.order(0))
        assert await kit.executor.runs() == (before,)

    async def test_launch_of_an_ended_run_is_a_no_op(self, kit: ExecutorKit) -> None:
        """An attempt that ended and was not removed is not run again."""
        await kit.executor.launch(kit.order(0))
        await kit.finish(await _only(kit.executor))
        over = await _ended(kit.executor)
        await kit.executor.launch(kit.order(0))
        assert await kit.executor.runs() == (over,)

    async def test_attempts_are_told_apart(self, kit: ExecutorKit) -> None:
        """Two attempts of one trial are two runs with two identities."""
        await kit.executor.launch(kit.order(0, attempt=1))
        await kit.executor.launch(kit.order(0, attempt=2))
        first, second = sorted(await kit.executor.runs(), key=lambda run: run.attempt)
        assert (first.attempt, second.attempt) == (1, 2)
        assert first.uid != second.uid

    async def test_end_is_seen(self, kit: ExecutorKit) -> None:
        """A run that ends shows its code, its message and when, and stays until removed."""
        await kit.executor.launch(kit.order(0))
        await kit.finish(await _only(kit.executor))
        over = await _ended(kit.executor)
        assert over.exit is not None
        assert (over.exit.code, over.exit.message) == (0, b"done")
        assert over.ended_at is not None
        assert await kit.executor.runs() == (over,)

    async def test_changed_wakes_at_an_end(self, kit: ExecutorKit) -> None:
        """`changed` returns when a run ends, long before its timeout."""
        await kit.executor.launch(kit.order(0))
        await kit.executor.changed(0)
        await kit.finish(await _only(kit.executor))
        async with asyncio.timeout(WAIT_SECONDS):
            await kit.executor.changed(10 * WAIT_SECONDS)

    async def test_changed_remembers_an_end(self, kit: ExecutorKit) -> None:
        """An end between two calls of `changed` is not missed."""
        await kit.executor.launch(kit.order(0))
        await kit.finish(await _only(kit.executor))
        await _ended(kit.executor)
        async with asyncio.timeout(WAIT_SECONDS):
            await kit.executor.changed(10 * WAIT_SECONDS)

    async def test_changed_gives_up_after_its_timeout(self, kit: ExecutorKit) -> None:
        """Without a change `changed` returns by itself."""
        async with asyncio.timeout(WAIT_SECONDS):
            await kit.executor.changed(0.01)

    async def test_stop_is_gentle_and_seen(self, kit: ExecutorKit) -> None:
        """A stopped run is stopping until it has ended, with the code that it chose."""
        await kit.executor.launch(kit.order(0))
        run = await _only(kit.executor)
        await kit.executor.stop(0, 1, run.uid, "a test")
        stopping = await _only(kit.executor)
        assert stopping.stopping
        await kit.obey(stopping)
        over = await _ended(kit.executor)
        assert over.exit is not None
        assert over.exit.code == 143

    async def test_stop_needs_the_identity(self, kit: ExecutorKit) -> None:
        """A stop that was meant for another run does nothing."""
        await kit.executor.launch(kit.order(0))
        await kit.executor.stop(0, 1, "another", "a test")
        assert not (await _only(kit.executor)).stopping

    async def test_stop_of_what_is_not_there_is_a_no_op(self, kit: ExecutorKit) -> None:
        """Stopping an unknown run is no error."""
        await kit.executor.stop(7, 1, "unknown", "a test")
        assert await kit.executor.runs() == ()

    async def test_removed_run_is_gone(self, kit: ExecutorKit) -> None:
        """A removed run is not seen again, and removing it twice is no error."""
        await kit.executor.launch(kit.order(0))
        await kit.finish(await _only(kit.executor))
        over = await _ended(kit.executor)
        await kit.executor.remove(0, 1, over.uid)
        await kit.executor.remove(0, 1, over.uid)
        assert await kit.executor.runs() == ()

    async def test_remove_needs_the_identity(self, kit: ExecutorKit) -> None:
        """A removal that was meant for another run does nothing."""
        await kit.executor.launch(kit.order(0))
        await kit.finish(await _only(kit.executor))
        over = await _ended(kit.executor)
        await kit.executor.remove(0, 1, "another")
        assert await kit.executor.runs() == (over,)

    async def test_checkpoint_outlives_its_run_until_it_is_dropped(self, kit: ExecutorKit) -> None:
        """What a trial saved stays when its run is forgotten, and goes when nobody keeps it."""
        await kit.executor.launch(kit.order(0))
        await kit.finish(await _only(kit.executor))
        over = await _ended(kit.executor)
        await kit.executor.remove(0, 1, over.uid)
        assert await kit.executor.checkpoints() == {0}
        await kit.executor.drop_checkpoint(0)
        await kit.executor.drop_checkpoint(0)
        assert await kit.executor.checkpoints() == frozenset()

    async def test_running_run_is_not_removed(self, kit: ExecutorKit) -> None:
        """Only an ended run can be forgotten."""
        await kit.executor.launch(kit.order(0))
        run = await _only(kit.executor)
        await kit.executor.remove(0, 1, run.uid)
        assert (await _only(kit.executor)).uid == run.uid

    async def test_attempt_can_be_launched_again_once_removed(self, kit: ExecutorKit) -> None:
        """A removed attempt of a suspended trial goes on as a new run."""
        await kit.executor.launch(kit.order(0))
        await kit.finish(await _only(kit.executor))
        over = await _ended(kit.executor)
        await kit.executor.remove(0, 1, over.uid)
        await kit.executor.launch(kit.order(0))
        again = await _only(kit.executor)
        assert again.uid != over.uid
        assert again.state is RunState.RUNNING

    async def test_close_ends_everything(self, kit: ExecutorKit) -> None:
        """After `close` nothing runs; closing twice is no error."""
        await kit.executor.launch(kit.order(0))
        await kit.executor.launch(kit.order(1))
        await kit.executor.close()
        await kit.executor.close()
        assert {run.state for run in await kit.executor.runs()} == {RunState.ENDED}


async def _only(executor: Executor) -> Run:
    """The only run, once it has begun to run."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            (run,) = await executor.runs()
            if run.state is not RunState.PENDING:
                return run
            await asyncio.sleep(0.01)


async def _ended(executor: Executor) -> Run:
    async with asyncio.timeout(WAIT_SECONDS):
        while (run := await _only(executor)).state is not RunState.ENDED:  # noqa: ASYNC110 - see below
            await asyncio.sleep(0.01)  # not by `changed`, which is under test
    return run
