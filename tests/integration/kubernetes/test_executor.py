"""The executor of Jobs against a real API server and its controllers."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from kubetune.adapters.kubernetes.api import Api, ApiUnreachable
from kubetune.adapters.kubernetes.executor import KubernetesExecutor
from kubetune.adapters.kubernetes.job import StudyObject, render
from kubetune.app.clock import SystemClock
from kubetune.domain.ports import ExecutorBusy
from kubetune.domain.reasons import TrialReason
from kubetune.domain.runs import Exit, Run, RunState
from tests.cluster.control_plane import ControlPlane
from tests.cluster.faults import Answer
from tests.cluster.proxy import proxied
from tests.fakes.cluster_view import ListView, list_view
from tests.fakes.kubelet import Kubelet, kubelet
from tests.integration.kubernetes.test_jobs import make_quota
from tests.unit.adapters.kubernetes.orders import make_order

WAIT_SECONDS = 60


@pytest.fixture
async def view(world: Api, namespace: str) -> AsyncIterator[ListView]:
    """What watches would show."""
    async with list_view(world, namespace) as view:
        yield view


@pytest.fixture
async def node(world: Api, view: ListView, namespace: str) -> AsyncIterator[Kubelet]:
    """Says of every pod that it runs."""
    async with kubelet(world, namespace, view.refresh) as node:
        yield node


@pytest.fixture
async def executor(api: Api, study: StudyObject, view: ListView) -> KubernetesExecutor:
    """An executor whose view is followed."""
    executor = KubernetesExecutor(api, study, view, SystemClock())
    view.wake = executor.wake
    return executor


async def reaches(executor: KubernetesExecutor, state: RunState) -> Run:
    """The only run, once it is in this state."""
    async with asyncio.timeout(WAIT_SECONDS):
        while True:
            (run,) = await executor.runs()
            if run.state is state:
                return run
            await executor.changed(0.05)


async def test_a_trial_takes_two_writes(
    executor: KubernetesExecutor, node: Kubelet, requests: list[str]
) -> None:
    """Create and delete: looking, waiting and asking again cost the server no write."""
    await executor.launch(make_order())
    run = await reaches(executor, RunState.RUNNING)
    await executor.launch(make_order())
    await node.finish(run.uid, 0, "done")
    over = await reaches(executor, RunState.ENDED)
    await executor.remove(over.number, over.attempt, over.uid)
    await executor.remove(over.number, over.attempt, over.uid)
    assert requests == ["POST", "DELETE"]


async def test_a_stopped_trial_takes_two_writes(
    executor: KubernetesExecutor, node: Kubelet, requests: list[str]
) -> None:
    """What a stop has deleted is not deleted again."""
    await executor.launch(make_order())
    run = await reaches(executor, RunState.RUNNING)
    await executor.stop(run.number, run.attempt, run.uid, "a test")
    await executor.stop(run.number, run.attempt, run.uid, "a test")
    over = await reaches(executor, RunState.ENDED)
    await executor.remove(over.number, over.attempt, over.uid)
    assert requests == ["POST", "DELETE"]


async def test_the_next_executor_finds_what_runs(
    executor: KubernetesExecutor, api: Api, study: StudyObject, view: ListView, node: Kubelet
) -> None:
    """Nothing but the cluster has to be remembered: not the launch, not the run, not its end."""
    await executor.launch(make_order())
    run = await reaches(executor, RunState.RUNNING)
    heir = KubernetesExecutor(api, study, view, SystemClock())
    assert await heir.runs() == (run,)
    await node.finish(run.uid, 75)
    over = await reaches(heir, RunState.ENDED)
    assert over.exit == Exit(code=75)


async def test_a_launch_that_was_not_heard_of_is_found(api: Api, study: StudyObject) -> None:
    """A Job that exists, created by a request without an answer, is the run that was asked for."""
    deaf = ListView(api, study.namespace)
    made = await api.request("POST", study.jobs_path, body=render(make_order(), study))
    blind = KubernetesExecutor(api, study, deaf, SystemClock())
    await blind.launch(make_order())
    (run,) = await blind.runs()
    assert run.uid == made["metadata"]["uid"]


async def test_a_strangers_job_is_left_alone(
    executor: KubernetesExecutor, world: Api, study: StudyObject
) -> None:
    """A Job of that name that is not the study's makes the launch fail, and is named."""
    forged = render(make_order(), study)
    del forged["metadata"]["ownerReferences"]
    await world.request("POST", study.jobs_path, body=forged)
    await executor.launch(make_order())
    (run,) = await executor.runs()
    assert run.exit is not None
    assert forged["metadata"]["name"] in run.exit.launch_error
    await executor.remove(run.number, run.attempt, run.uid)
    assert await executor.runs() == ()
    assert len((await world.request("GET", study.jobs_path))["items"]) == 1


async def test_an_old_job_of_the_name_is_waited_for(
    api: Api, world: Api, study: StudyObject, requests: list[str]
) -> None:
    """A Job that is about to go gives its name to the next one."""
    body = render(make_order(), study)
    body["metadata"]["finalizers"] = ["kubetune.io/test"]
    made = await world.request("POST", study.jobs_path, body=body)
    path = f"{study.jobs_path}/{made['metadata']['name']}"
    await world.request("DELETE", path)
    blind = KubernetesExecutor(api, study, ListView(world, study.namespace), SystemClock())
    launch = asyncio.create_task(blind.launch(make_order()))
    async with asyncio.timeout(WAIT_SECONDS):
        while requests.count("POST") < 2:  # noqa: ASYNC110 - nothing tells of a refused request
            await asyncio.sleep(0.05)
    assert not launch.done()
    free = {"metadata": {"finalizers": None}}
    await world.request("PATCH", path, body=free, content_type="application/merge-patch+json")
    await launch
    (run,) = await blind.runs()
    assert run.uid != made["metadata"]["uid"]


async def test_what_the_server_refuses_is_an_ended_run(executor: KubernetesExecutor) -> None:
    """A Job that cannot be is not tried again, and the server's words say why."""
    await executor.launch(make_order({"image": ""}))
    (run,) = await executor.runs()
    assert run.state is RunState.ENDED
    assert run.exit is not None
    assert "image: Required value" in run.exit.launch_error


async def test_a_quota_is_waited_for(
    executor: KubernetesExecutor, world: Api, study: StudyObject
) -> None:
    """A full quota is no end: the launch may be tried again."""
    await make_quota(world, study.namespace)
    with pytest.raises(ExecutorBusy, match="exceeded quota"):
        await executor.launch(make_order())
    assert await executor.runs() == ()


async def test_rights_are_waited_for(
    studies: ControlPlane, study: StudyObject, view: ListView
) -> None:
    """What an administrator has to grant is said; no trial ends for it."""
    api = await Api.connect(kubeconfig=studies.kubeconfig_for("alice"))
    try:
        executor = KubernetesExecutor(api, study, view, SystemClock())
        with pytest.raises(ExecutorBusy, match='cannot create resource "jobs"'):
            await executor.launch(make_order())
        assert await executor.runs() == ()
    finally:
        await api.close()


async def test_a_job_that_a_conflict_leaves_there_is_not_gone(
    study: StudyObject, view: ListView, studies: ControlPlane, node: Kubelet
) -> None:
    """Its deletion is tried again: a trial whose run were forgotten would run twice."""
    with proxied(studies) as proxy:
        api = await Api.connect(kubeconfig=proxy.kubeconfig_for())
        executor = KubernetesExecutor(api, study, view, SystemClock())
        view.wake = executor.wake
        await executor.launch(make_order())
        run = await reaches(executor, RunState.RUNNING)
        proxy.add(Answer(409, reason="Conflict"), "DELETE")
        with pytest.raises(ExecutorBusy):
            await executor.stop(run.number, run.attempt, run.uid, "it is over")
        assert await executor.runs() == (run,)
        await executor.stop(run.number, run.attempt, run.uid, "it is over")
        assert (await reaches(executor, RunState.ENDED)).stopping
        await api.close()


async def test_a_server_that_is_away_is_waited_for(
    study: StudyObject, view: ListView, studies: ControlPlane
) -> None:
    """Neither a launch nor a stop pretends to have happened."""
    api = await Api.connect(kubeconfig=studies.kubeconfig)
    api._client.configuration.host = "https://127.0.0.1:9"
    try:
        executor = KubernetesExecutor(api, study, view, SystemClock())
        with pytest.raises(ApiUnreachable):
            await executor.launch(make_order())
        assert await executor.runs() == ()
    finally:
        await api.close()


async def test_a_pod_that_nobody_places_says_why(
    executor: KubernetesExecutor, view: ListView
) -> None:
    """The scheduler's own words, and since when."""
    await executor.launch(make_order({"resources": {"limits": {"nvidia.com/gpu": 1}}}))
    async with asyncio.timeout(WAIT_SECONDS):
        while "nodes" not in (run := await reaches(executor, RunState.PENDING)).waiting:
            await executor.changed(0.05)
    assert run.stuck is TrialReason.UNSCHEDULABLE
    assert run.stuck_since is not None


async def test_a_job_deleted_by_somebody_is_a_disruption(
    executor: KubernetesExecutor, node: Kubelet, world: Api, study: StudyObject
) -> None:
    """The trial is tried again, and that counts; its slot is held until its pod has ended."""
    await executor.launch(make_order())
    run = await reaches(executor, RunState.RUNNING)
    (job,) = (await world.request("GET", study.jobs_path))["items"]
    options = {"propagationPolicy": "Background"}
    await world.request("DELETE", f"{study.jobs_path}/{job['metadata']['name']}", body=options)
    over = await reaches(executor, RunState.ENDED)
    assert over.uid == run.uid
    assert over.exit is not None
    assert over.stopping or over.exit.disrupted
    await executor.remove(over.number, over.attempt, over.uid)
    assert await executor.runs() == ()


async def test_a_suspended_job_is_queued(
    executor: KubernetesExecutor, node: Kubelet, world: Api, study: StudyObject
) -> None:
    """As a queue does it: admitted Jobs run, preempted ones wait for another pod, none has ended.

    The test plays the part of Kueue, which sets and clears `suspend`.
    """
    await executor.launch(make_order())
    first = await reaches(executor, RunState.RUNNING)
    await suspend(world, study, suspended=True)
    queued = await reaches(executor, RunState.PENDING)
    assert queued.stuck is TrialReason.NONE
    await suspend(world, study, suspended=False)
    async with asyncio.timeout(WAIT_SECONDS):
        while (run := (await executor.runs())[0]).state is not RunState.RUNNING:
            assert run.state is RunState.PENDING
            await executor.changed(0.05)
    assert run.uid == first.uid


async def suspend(world: Api, study: StudyObject, *, suspended: bool) -> None:
    """Takes the only Job's pod away, or gives it one."""
    (job,) = (await world.request("GET", study.jobs_path))["items"]
    path = f"{study.jobs_path}/{job['metadata']['name']}"
    body = {"spec": {"suspend": suspended}}
    await world.request("PATCH", path, body=body, content_type="application/merge-patch+json")
