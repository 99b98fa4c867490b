"""Every executor keeps the same contract."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from kubetune.adapters.kubernetes.api import Api
from kubetune.adapters.kubernetes.executor import KubernetesExecutor
from kubetune.adapters.local import processes, watch
from kubetune.adapters.local.executor import LocalExecutor
from kubetune.app.clock import SystemClock
from kubetune.domain.ports import LaunchOrder
from kubetune.domain.runs import Exit, Run
from tests.builders import NOW
from tests.cluster.control_plane import ControlPlane
from tests.contract.executor_contract import ExecutorContract, ExecutorKit
from tests.fakes.cluster_view import list_view
from tests.fakes.executor import FakeExecutor
from tests.fakes.kubelet import Kubelet, kubelet
from tests.fakes.study_object import make_study_object
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


class KubernetesKit:
    """Jobs of a real control plane, with a kubelet that only talks."""

    def __init__(self, executor: KubernetesExecutor, node: Kubelet) -> None:
        self.executor = executor
        self._node = node

    def order(self, number: int, attempt: int = 1) -> LaunchOrder:
        return make_order(number, "true", attempt=attempt, container={"image": "none"})

    async def finish(self, run: Run) -> None:
        await self._node.finish(run.uid, 0, "done")

    async def obey(self, run: Run) -> None:
        await asyncio.sleep(0)


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


class TestKubernetesExecutor(ExecutorContract):
    """Real Jobs, as real controllers treat them."""

    @pytest.fixture(autouse=True)
    def _cluster(self, studies: ControlPlane, namespace: str) -> None:
        self._kubeconfig = studies.kubeconfig
        self._namespace = namespace

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[ExecutorKit]:
        api = await Api.connect(kubeconfig=self._kubeconfig)
        try:
            study = await make_study_object(api, self._namespace)
            async with (
                list_view(api, self._namespace) as view,
                kubelet(api, self._namespace, view.refresh) as node,
            ):
                executor = KubernetesExecutor(api, study, view, SystemClock())
                view.wake = executor.wake
                yield KubernetesKit(executor, node)
        finally:
            await api.close()

    def open_kit(self, folder: Path) -> AbstractAsyncContextManager[ExecutorKit]:
        return self._open()

    async def test_checkpoint_outlives_its_run_until_it_is_dropped(self, kit: ExecutorKit) -> None:
        """It knows of no checkpoint, and none is its to delete: they lie in the study's claim."""
        await kit.executor.launch(kit.order(0))
        await kit.executor.drop_checkpoint(0)
        assert await kit.executor.checkpoints() == frozenset()
