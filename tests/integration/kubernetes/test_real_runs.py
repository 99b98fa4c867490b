"""How runs begin and end on a real node, told by a real kubelet."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from kubetune.adapters.kubernetes.api import Api
from kubetune.adapters.kubernetes.executor import KubernetesExecutor
from kubetune.app.clock import SystemClock
from kubetune.domain.ports import LaunchOrder
from kubetune.domain.reasons import TrialReason
from kubetune.domain.runs import Exit, Run, RunState
from kubetune.domain.study import TrialPolicy
from tests.cluster.cluster import Cluster
from tests.fakes.cluster_view import list_view
from tests.fakes.study_object import make_study_object
from tests.unit.adapters.kubernetes.orders import make_order

WAIT_SECONDS = 100
SAY = "printf %s "
INTO = " > /dev/termination-log"


@pytest.fixture
async def api(cluster: Cluster) -> AsyncIterator[Api]:
    """A connection to the cluster with a node."""
    api = await Api.connect(kubeconfig=cluster.plane.kubeconfig)
    yield api
    await api.close()


@pytest.fixture
async def executor(api: Api, cluster_namespace: str) -> AsyncIterator[KubernetesExecutor]:
    """An executor of shell scripts."""
    study = await make_study_object(api, cluster_namespace)
    async with list_view(api, cluster_namespace) as view:
        executor = KubernetesExecutor(api, study, view, SystemClock())
        view.wake = executor.wake
        yield executor


def shell(script: str, *, grace: int = 5, pod: dict[str, Any] | None = None, **more: Any) -> Any:
    """An order of a script; `pod` and `container` are added to its template."""
    container = {
        "image": "busybox:latest",
        "imagePullPolicy": "Never",
        "command": ["sh", "-c", script],
        **more.pop("container", {}),
    }
    spec = {"terminationGracePeriodSeconds": grace, **(pod or {})}
    return make_order(container, pod=spec, **more)


async def until(executor: KubernetesExecutor, holds: Callable[[Run], bool]) -> Run:
    """The only run, once this holds of it."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            (run,) = await executor.runs()
            if holds(run):
                return run
            await executor.changed(0.1)


def over(run: Run) -> bool:
    return run.state is RunState.ENDED


def runs(run: Run) -> bool:
    return run.state is RunState.RUNNING


@pytest.mark.parametrize(
    ("order", "end"),
    [
        pytest.param(shell(SAY + "done" + INTO), Exit(code=0, message=b"done"), id="complete"),
        pytest.param(shell("exit 64"), Exit(code=64), id="bad configuration"),
        pytest.param(
            shell("tail /dev/zero", container={"resources": {"limits": {"memory": "16Mi"}}}),
            Exit(code=137, out_of_memory=True),
            id="out of memory",
        ),
        pytest.param(
            shell(
                SAY + '"$KUBETUNE_PARAM_text|$RATE"' + INTO,
                trial={"parameters": {"rate": 6e-05, "text": '$(HOME) $$ "é"'}},
                container={"env": [{"name": "RATE", "value": "$(KUBETUNE_PARAM_rate)"}]},
            ),
            Exit(code=0, message='$(HOME) $$ "é"|6e-05'.encode()),
            id="values",
        ),
        pytest.param(
            shell(
                "exit 3",
                beside=(
                    {
                        "name": "beside",
                        "image": "busybox:latest",
                        "imagePullPolicy": "Never",
                        "command": ["sleep", "600"],
                    },
                ),
            ),
            Exit(code=3),
            id="a container beside it runs on",
        ),
    ],
)
async def test_an_end_is_seen(executor: KubernetesExecutor, order: LaunchOrder, end: Exit) -> None:
    """Code, message and reason come from the trainer's own container."""
    await executor.launch(order)
    run = await until(executor, over)
    assert run.exit == end
    assert run.started_at is not None
    assert run.ended_at is not None
    await executor.remove(run.number, run.attempt, run.uid)


async def test_a_command_that_is_not_there_was_never_started(executor: KubernetesExecutor) -> None:
    """The container runtime's words say so."""
    await executor.launch(shell("", container={"command": ["no-such-program"]}))
    run = await until(executor, over)
    assert run.exit is not None
    assert "no-such-program" in run.exit.launch_error


async def test_a_late_trial_is_ended_without_an_operator(executor: KubernetesExecutor) -> None:
    """The kubelet keeps the time limit, and its end is known for what it is."""
    policy = TrialPolicy(max=1, timeout_seconds=2)
    await executor.launch(shell("sleep 600", grace=1, trials=policy))
    run = await until(executor, over)
    assert run.exit is not None
    assert run.exit.timed_out


async def test_an_image_that_is_not_there_is_waited_for(executor: KubernetesExecutor) -> None:
    """It is said, with a beginning, and nothing has ended."""
    await executor.launch(shell("true", container={"image": "no-such-image:latest"}))
    run = await until(executor, lambda run: run.stuck is TrialReason.IMAGE_PULL_FAILED)
    assert run.state is RunState.PENDING
    assert run.stuck_since is not None
    assert "no-such-image" in run.waiting


async def test_a_deleted_pod_is_a_disruption(
    executor: KubernetesExecutor, cluster: Cluster, cluster_namespace: str
) -> None:
    """Whoever deletes a trial's pod does not make the trial fail."""
    await executor.launch(shell("trap 'exit 1' TERM; while :; do sleep 0.1; done"))
    await until(executor, runs)
    cluster.plane.kubectl("delete", "pods", "--all", "-n", cluster_namespace, "--wait=false")
    run = await until(executor, over)
    assert run.exit is not None
    assert run.exit.disrupted


async def test_a_stopped_trial_has_its_grace(executor: KubernetesExecutor) -> None:
    """It may write its result and choose its code, and both are seen before its pod is gone."""
    trap = f"trap '{SAY}saved{INTO}; exit 143' TERM; while :; do sleep 0.1; done"
    await executor.launch(shell(trap))
    run = await until(executor, runs)
    await executor.stop(run.number, run.attempt, run.uid, "a test")
    run = await until(executor, over)
    assert run.stopping
    assert run.exit == Exit(code=143, message=b"saved")
