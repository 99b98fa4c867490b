"""How an operator starts, waits for what it lacks and says so, and ends."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import users
from tests.cluster.control_plane import ControlPlane
from tests.cluster.faults import Hold
from tests.cluster.operators import OperatorProcess, grant
from tests.cluster.proxy import proxied
from tests.cluster.requests import Server, wait_until
from tests.integration.operator.stage import Study, below, completes, played

CRD = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/tuningstudies.kubetune.io"


@pytest.fixture
def operator(studies: ControlPlane, namespace: str, tmp_path: Path) -> Iterator[OperatorProcess]:
    """An operator of its own for one test, not started yet."""
    grant(studies)
    process = OperatorProcess(studies, tmp_path, namespaces=[namespace])
    yield process
    process.kill()


def until_log(operator: OperatorProcess, words: str, times: int = 1) -> None:
    wait_until(lambda: operator.log.count(words) >= times, f"{words!r} in the log")


def health(operator: OperatorProcess) -> Server:
    return Server(f"http://127.0.0.1:{operator.health_port}")


def refused_start(*words: str, kubeconfig: str = "/nowhere") -> str:
    """What an operator says that cannot be used as it is told to run."""
    options = ["--health-address=127.0.0.1:0", "--metrics-address=127.0.0.1:0", *words]
    done = subprocess.run(
        [sys.executable, "-m", "kubetune", "operator", *options],
        env={"KUBECONFIG": kubeconfig, "PATH": "/usr/bin:/bin", "HOME": "/nowhere"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    return done.stderr.strip().splitlines()[-1]


def test_it_says_what_it_is_and_ends_when_told(operator: OperatorProcess, namespace: str) -> None:
    """One line with version, namespaces, storage and Prometheus; SIGTERM ends it with 0."""
    operator.start()
    until_log(operator, "ready")
    assert health(operator).healthy("/readyz")
    assert f"watches namespaces: {namespace}; storage: sqlite:///" in operator.log
    assert "live metrics from: nowhere" in operator.log
    assert operator.stop() == 0
    assert "Traceback" not in operator.log


def test_without_the_resource_it_waits(
    control_plane: ControlPlane, operator: OperatorProcess, namespace: str
) -> None:
    """It lives, is not ready, says once how to install it, and goes on by itself; twice over.

    The second time the resource is taken away while it is watched.
    """
    control_plane.request("DELETE", CRD)
    wait_until(lambda: not control_plane.server().healthy(CRD), "the resource to be gone")
    operator.start()
    until_log(operator, "kubetune crd | kubectl apply --server-side -f -")
    assert health(operator).healthy("/healthz")
    assert not health(operator).healthy("/readyz")
    control_plane.apply_crds()
    until_log(operator, "ready\n")
    assert operator.log.count("kubetune crd | kubectl") == 1
    with played(control_plane, namespace):
        Study(control_plane, namespace).finish()
    control_plane.request("DELETE", CRD)
    until_log(operator, "kubetune crd | kubectl", 2)
    control_plane.apply_crds()
    until_log(operator, "ready\n", 2)
    assert "Traceback" not in operator.log


def test_without_rights_it_waits(studies: ControlPlane, namespace: str, tmp_path: Path) -> None:
    """It says who may not do what, and where the rights are written; given them it goes on."""
    operator = OperatorProcess(
        studies, tmp_path, namespaces=[namespace], kubeconfig=studies.kubeconfig_for("alice")
    )
    binding = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings"
    operator.start()
    try:
        until_log(operator, "charts/kubetune/files/rules.yaml")
        assert 'User "alice" cannot list resource "tuningstudies"' in operator.log
        grant(studies)
        group = "rbac.authorization.k8s.io"
        body = {
            "metadata": {"name": "alice"},
            "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": "kubetune"},
            "subjects": [{"apiGroup": group, "kind": "User", "name": "alice"}],
        }
        studies.request("POST", binding, body)
        until_log(operator, "ready\n")
    finally:
        operator.kill()


def test_storage_that_cannot_be_used_is_refused() -> None:
    """At once, with a sentence and exit code 2; a password is not repeated."""
    assert "storage is not a URL" in refused_start("--storage=nonsense")
    words = refused_start("--storage=oracle9://me:secret@host/db")
    assert "oracle9" in words
    assert "secret" not in words


def test_a_wrong_prometheus_is_refused() -> None:
    """What is no URL cannot become one."""
    words = refused_start("--storage=sqlite://", "--prometheus=nonsense")
    assert "Prometheus is no URL: write http://HOST:PORT" in words


def test_without_a_cluster_it_says_what_to_set() -> None:
    """No kubeconfig, no pod: the sentence names the option, and the file that is not there."""
    words = refused_start("--storage=sqlite://")
    assert "there is no kubeconfig /nowhere; set KUBECONFIG or pass --kubeconfig" in words


@pytest.mark.parametrize("text", ["words", "a: [", "", "contexts: []"])
def test_a_kubeconfig_that_is_none_is_refused(text: str, tmp_path: Path) -> None:
    """In a sentence, whatever the file holds."""
    file = tmp_path / "config"
    file.write_text(text)
    words = refused_start("--storage=sqlite://", kubeconfig=str(file))
    assert words.startswith("kubetune: no cluster to talk to: ")


def test_the_option_counts_more_than_the_environment(tmp_path: Path, studies: ControlPlane) -> None:
    """Else an operator would tune in another cluster than the one it is told of."""
    file = tmp_path / "config"
    file.write_text("contexts: []")
    option, usual = f"--kubeconfig={file}", str(studies.kubeconfig)
    assert "no cluster to talk to" in refused_start("--storage=sqlite://", option, kubeconfig=usual)


@pytest.mark.parametrize("option", ["--health-address", "--metrics-address"])
def test_a_port_that_is_taken_is_named(option: str) -> None:
    """With the option that chooses another."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        words = refused_start("--storage=sqlite://", f"{option}={address}")
    assert f"{option} {address}" in words


def test_trials_outlive_it(
    operator: OperatorProcess, studies: ControlPlane, namespace: str
) -> None:
    """SIGTERM: the last status is written, Jobs stay; the next one ends the study with the same."""
    with played(studies, namespace, below(0)) as play:
        operator.start()
        study = Study(studies, namespace)
        study.until(lambda: len(study.jobs) == 2, "two trials")
        assert operator.stop() == 0
        assert study.counts["active"] == 2
        before = [job["metadata"]["uid"] for job in study.jobs]
        operator.start()
        until_log(operator, "ready\n", 2)
        assert before == [job["metadata"]["uid"] for job in study.jobs]
        play.script = completes
        assert study.finish()["trials"]["complete"] == 3
    assert [attempt for _, _, attempt in play.ended] == [1, 1, 1]


def test_a_second_signal_ends_it_at_once(
    studies: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    """Somebody at a terminal does not wait for last words that cannot be written."""
    grant(studies)
    with proxied(studies) as proxy:
        operator = OperatorProcess(
            studies,
            tmp_path,
            namespaces=[namespace],
            kubeconfig=proxy.kubeconfig_for(users.OPERATOR),
        )
        hold = Hold()
        proxy.add(hold, "PATCH", "tuningstudies/study/status", count=None)
        try:
            operator.start()
            Study(studies, namespace)
            assert hold.arrived.wait(60)
            process = operator._process
            assert process is not None
            process.send_signal(signal.SIGINT)
            until_log(operator, "told to stop; trials go on")
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 130
        finally:
            operator.kill()
            hold.release()
    assert "Traceback" not in operator.log


def test_an_ended_study_is_shown_again_until_it_is_deleted(
    operator: OperatorProcess, studies: ControlPlane, namespace: str
) -> None:
    """After a restart nobody follows it; its series are there, and gone with it."""
    series = f'kubetune_study_trials{{namespace="{namespace}",state="Complete",study="study"}} 3.0'
    with played(studies, namespace):
        operator.start()
        study = Study(studies, namespace)
        study.finish()
    assert operator.stop() == 0
    operator.start()
    wait_until(lambda: series in operator.metrics(), "the ended study to be shown")
    assert 'kubetune_studies{phase="Succeeded"} 1.0' in operator.metrics()
    study.delete()
    wait_until(lambda: 'study="study"' not in operator.metrics(), "its series to end")
    assert 'phase="' not in operator.metrics()
