"""A real Kubernetes for tests, one for each worker of a test run.

`control_plane` needs no rights; `namespace` is a fresh one in it. Where a machine cannot have what
a test asks for, the test is skipped with the reason; on CI it fails.
"""

import os
from collections.abc import Iterator
from typing import NoReturn

import pytest

from tests.cluster import binaries, control_plane
from tests.cluster.control_plane import ControlPlane

__all__ = ["control_plane_", "namespace", "studies", "worker_name"]

_NEED_BINARIES = {"control_plane"}


def pytest_collection_finish(session: pytest.Session) -> None:
    """Builds Kubernetes before the first test's time begins to count."""
    if session.config.option.collectonly:
        return
    asked = {name for item in session.items for name in getattr(item, "fixturenames", ())}
    if asked & _NEED_BINARIES:
        binaries.find()


def unavailable(reason: str) -> NoReturn:
    """Skips the test that needs what this machine has not; on CI fails it."""
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session", name="control_plane")
def control_plane_(worker_name: str) -> Iterator[ControlPlane]:
    """A control plane without nodes, for this worker's whole run."""
    with control_plane.running(f"test-{worker_name}", os.getpid()) as plane:
        yield plane


@pytest.fixture(scope="session")
def worker_name() -> str:
    """Names this worker among all test runs of the machine."""
    return f"{os.environ.get('PYTEST_XDIST_WORKER', 'main')}-{os.getpid()}"


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
