"""A connection, a study and its executor on a real control plane."""

from collections.abc import AsyncIterator

import pytest

from kubetune.adapters.kubernetes.api import Api
from kubetune.adapters.kubernetes.job import StudyObject
from tests.cluster.control_plane import ControlPlane
from tests.fakes.study_object import make_study_object


@pytest.fixture
async def requests() -> list[str]:
    """Every writing request of `api` so far: method and kind."""
    return []


@pytest.fixture
async def api(studies: ControlPlane, requests: list[str]) -> AsyncIterator[Api]:
    """The executor's own connection."""

    def note(method: str, path: str, status: int, seconds: float) -> None:
        if method != "GET":
            requests.append(method)

    api = await Api.connect(kubeconfig=studies.kubeconfig, on_request=note)
    yield api
    await api.close()


@pytest.fixture
async def world(studies: ControlPlane) -> AsyncIterator[Api]:
    """The connection of everybody else."""
    api = await Api.connect(kubeconfig=studies.kubeconfig)
    yield api
    await api.close()


@pytest.fixture
async def study(world: Api, namespace: str) -> StudyObject:
    """A study that is really there."""
    return await make_study_object(world, namespace)
