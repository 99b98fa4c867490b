"""How an operator starts, waits, says what it lacks, and ends."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.cluster.operators import OperatorProcess, grant
from tests.cluster.requests import wait_until


@pytest.fixture
def operator(studies: ControlPlane, namespace: str, tmp_path: Path) -> Iterator[OperatorProcess]:
    """An operator of its own for one test, not started yet."""
    grant(studies)
    process = OperatorProcess(studies, tmp_path, namespaces=[namespace])
    yield process
    process.kill()


def test_it_says_what_it_is_and_ends_when_told(operator: OperatorProcess, namespace: str) -> None:
    """One line with version, namespaces, storage and Prometheus; SIGTERM ends it with 0."""
    operator.start()
    wait_until(lambda: "ready" in operator.log, "it to be ready")
    assert f"watches namespaces: {namespace}; storage: sqlite:///" in operator.log
    assert "live metrics from: nowhere" in operator.log
    assert operator.stop() == 0
    assert "Traceback" not in operator.log
