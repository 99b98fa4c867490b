"""`kubetune drain`: every study is suspended, and the command ends when no trial runs."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.cluster.operators import OperatorProcess, grant, running
from tests.integration.operator.stage import Play, Study, below, played

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def play(studies: ControlPlane, namespace: str) -> Iterator[Play]:
    """Pods that go on until they are stopped."""
    grant(studies)
    with played(studies, namespace, below(0)) as play:
        yield play


def drain(plane: ControlPlane, namespace: str, *words: str) -> tuple[int, str]:
    """Its exit code and what it says to a person."""
    command = [sys.executable, "-m", "kubetune", "drain", "-n", namespace, *words]
    where = f"--kubeconfig={plane.kubeconfig}"
    done = subprocess.run([*command, where], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


def test_no_trial_runs_afterwards(
    studies: ControlPlane, namespace: str, play: Play, tmp_path: Path
) -> None:
    """Trials are stopped, not ended: they go on when the study does.

    A study that is suspended already holds nothing up, and a second time there is nothing to do.
    """
    with running(OperatorProcess(studies, tmp_path, namespaces=[namespace])):
        study = Study(studies, namespace, trials={"max": 4, "parallelism": 2})
        still = Study(studies, namespace, "still", suspend=True)
        study.until(lambda: study.running == [0, 1], "two trials to run")
        code, said = drain(studies, namespace)
        assert code == 0, said
        assert said.splitlines() == [f"suspended {namespace}/{study.name}", "no trial runs"]
        jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        assert studies.request("GET", jobs)["items"] == []
        assert study.status["trials"]["total"] == 2
        assert still.status["phase"] == "Suspended"
        assert drain(studies, namespace) == (0, "no trial runs\n")


def test_without_an_operator_it_says_who_still_runs(
    studies: ControlPlane, namespace: str, play: Play, tmp_path: Path
) -> None:
    """After the time that it is given, with an exit code and what to do."""
    with running(OperatorProcess(studies, tmp_path, namespaces=[namespace])):
        study = Study(studies, namespace, trials={"max": 4, "parallelism": 1})
        study.until(lambda: study.running == [0], "a trial to run")
    code, said = drain(studies, namespace, "--timeout-seconds=1")
    assert code == 1
    assert f"after 1 s trials still run: {namespace}/{study.name}; is the operator there?" in said


def test_a_job_of_no_study_holds_nothing_up(studies: ControlPlane, namespace: str) -> None:
    """Somebody has given a Job of their own the label of what the operator manages."""
    labels = {"app.kubernetes.io/managed-by": "kubetune"}
    pod = {"restartPolicy": "Never", "containers": [{"name": "it", "image": "none"}]}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": "own", "labels": labels},
        "spec": {"suspend": True, "template": {"spec": pod}},
    }
    studies.request("POST", f"/apis/batch/v1/namespaces/{namespace}/jobs", job)
    assert drain(studies, namespace) == (0, "no trial runs\n")
