"""Every executor keeps the same contract."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from kubetune.adapters.local import processes, watch
from kubetune.adapters.local.executor import LocalExecutor
from kubetune.domain.ports import LaunchOrder
from kubetune.domain.runs import Exit, Run
from tests.builders import NOW
from tests.contract.executor_contract import ExecutorContract, ExecutorKit
from tests.fakes.executor import FakeExecutor
from tests.unit.adapters.local.runs import make_order, running

PROGRAM = """trap 'exit 143' TERM
while ! [ -e "$KUBETUNE_CHECKPOINT_DIR/finish" ]; do sleep 0.01; done
rm "$KUBETUNE_CHECKPOINT_DIR/finish"
printf done > "$KUBETUNE_TERMINATION_LOG"
"""


class LocalKit:
    """Processes that wait for a file."""

    def __init__(self, executor: LocalExecutor, folder: Path) -> None:
        self.executor = executor
        self._folder = folder

    def order(self, number: int, attempt: int = 1) -> LaunchOrder:
        return make_order(number, "sh", "-c", PROGRAM, attempt=attempt)

    async def finish(self, run: Run) -> None:
        (self._folder / "trials" / str(run.number) / "checkpoint" / "finish").touch()

    async def obey(self, run: Run) -> None:
        await asyncio.sleep(0)


class FakeKit:
    """Runs in memory."""

    def __init__(self) -> None:
        self.executor = FakeExecutor(lambda: NOW)

    def order(self, number: int, attempt: int = 1) -> LaunchOrder:
        return make_order(number, "true", attempt=attempt)

    async def finish(self, run: Run) -> None:
        self.executor.end(run, Exit(code=0, message=b"done"))

    async def obey(self, run: Run) -> None:
        self.executor.end(run, Exit(code=143))


class TestLocalExecutor(ExecutorContract):
    """Real processes."""

    @asynccontextmanager
    async def _open(self, folder: Path) -> AsyncIterator[ExecutorKit]:
        async with running(folder) as executor:
            yield LocalKit(executor, folder)

    def open_kit(self, folder: Path) -> AbstractAsyncContextManager[ExecutorKit]:
        return self._open(folder)


class TestLocalExecutorWithoutProc(TestLocalExecutor):
    """Real processes, found as on a machine without /proc and pidfd."""

    @pytest.fixture(autouse=True)
    def _portable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(processes, "_has_proc", lambda: False)
        monkeypatch.setattr(watch, "_pidfd", lambda _: None)


class TestFakeExecutor(ExecutorContract):
    """The executor that the engine's own tests use."""

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[ExecutorKit]:
        yield FakeKit()

    def open_kit(self, folder: Path) -> AbstractAsyncContextManager[ExecutorKit]:
        return self._open()
