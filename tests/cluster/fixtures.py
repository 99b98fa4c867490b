"""A real Kubernetes for tests, one for each worker of a test run.

`control_plane` has no node and needs no rights; `namespace` is a fresh one in it. `cluster` is
another one, with a node, GPUs that count, and Prometheus; `cluster_namespace` is a fresh one there.
Where a machine cannot have what a test asks for, the test is skipped with the reason; on CI it
fails.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import NoReturn

import pytest

from tests.cluster import binaries, control_plane, images, machine
from tests.cluster import cluster as whole
from tests.cluster.cluster import Cluster
from tests.cluster.control_plane import ControlPlane
from tests.cluster.requests import wait_until

_SECONDS = 300
"""For a test with a node: the first one waits for its start, on a machine that others use."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Gives a test with a node its time."""
    for item in items:
        if "cluster" in getattr(item, "fixturenames", ()) and not item.get_closest_marker(
            "timeout"
        ):
            item.add_marker(pytest.mark.timeout(_SECONDS))


def pytest_collection_finish(session: pytest.Session) -> None:
    """Builds programs and images before the first test's time begins to count."""
    if session.config.option.collectonly:
        return
    asked = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    with suppress(RuntimeError):  # the fixture says it, to the tests that it concerns
        if asked & {"control_plane", "cluster"}:
            binaries.find()
        if "cluster" in asked and not machine.missing():
            images.build()


def unavailable(reason: str) -> NoReturn:
    """Skips the test that needs what this machine has not; on CI fails it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def worker_name() -> str:
    """Names this worker among all test runs of the machine."""
    return f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}-{os.getpid()}"


@pytest.fixture(scope="session")
def programs_of_kubernetes() -> None:
    """Sees that there are programs to run; says what is missing else."""
    if sys.platform != "linux":
        unavailable("the test cluster needs Linux")
    try:
        binaries.find()
    except RuntimeError as error:
        unavailable(str(error))


@pytest.fixture(scope="session", name="control_plane")
def _control_plane(programs_of_kubernetes: None, worker_name: str) -> Iterator[ControlPlane]:
    """A control plane without nodes, for this worker's whole run."""
    with control_plane.running(f"test-{worker_name}", os.getpid()) as plane:
        yield plane


@pytest.fixture
def namespace(control_plane: ControlPlane) -> Iterator[str]:
    """A fresh namespace; its Jobs and pods are gone when the test is."""
    name = control_plane.create_namespace()
    yield name
    control_plane.delete_namespace(name)


@pytest.fixture(scope="session")
def studies(control_plane: ControlPlane) -> ControlPlane:
    """The control plane, which knows studies: `crds/` is applied."""
    control_plane.apply_crds()
    return control_plane


@pytest.fixture(scope="session", name="cluster")
def _cluster(programs_of_kubernetes: None, worker_name: str) -> Iterator[Cluster]:
    """A control plane of its own with a node, two GPUs, Prometheus and `crds/`."""
    if reason := machine.missing():
        unavailable(reason)
    with whole.running(f"node-{worker_name}", os.getpid()) as running:
        running.plane.apply_crds()
        yield running


@pytest.fixture
def cluster_namespace(cluster: Cluster) -> Iterator[str]:
    """A fresh namespace in `cluster`; afterwards its pods hold no GPU any more."""
    name = cluster.plane.create_namespace()
    yield name
    cluster.plane.delete_namespace(name)
    pods = f"/api/v1/namespaces/{name}/pods"
    wait_until(lambda: not cluster.plane.request("GET", pods)["items"], "its pods to be gone")
