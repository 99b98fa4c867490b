"""Of several operators one tunes; another takes over when it dies, or lets go."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster import users
from tests.cluster.control_plane import ControlPlane
from tests.cluster.helm import rendered
from tests.cluster.operators import OperatorProcess, grant
from tests.cluster.requests import Server, wait_until
from tests.integration.operator.stage import Study, below, completes, played

pytestmark = pytest.mark.timeout(300)

LEASE_SECONDS = 3


def grant_lease(plane: ControlPlane, namespace: str) -> str:
    """Gives the operator's user the chart's right to its lease; the lease's name."""
    chart = rendered(
        {"replicas": 2, "leaderElection.enabled": True, "storage.existingSecret.name": "database"},
        namespace=namespace,
    )
    roles = [each for each in chart if each["metadata"]["name"] == "kubetune-lease"]
    for role in roles:
        if "subjects" in role:
            role["subjects"] = [
                {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": users.OPERATOR}
            ]
        plane.apply(role, namespace)
    return f"{namespace}/kubetune"


@pytest.fixture
def pair(
    studies: ControlPlane, namespace: str, tmp_path: Path
) -> Iterator[tuple[OperatorProcess, OperatorProcess]]:
    """Two operators of one database and one lease, not started yet."""
    grant(studies)
    options = [f"--lease={grant_lease(studies, namespace)}", f"--lease-seconds={LEASE_SECONDS}"]
    found = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        found.append(
            OperatorProcess(
                studies,
                folder,
                namespaces=[namespace],
                storage=f"sqlite:///{tmp_path / 'shared.db'}",
                options=options,
            )
        )
    yield found[0], found[1]
    for operator in found:
        operator.kill()


def holds(operator: OperatorProcess) -> bool:
    return "holds lease" in operator.log


def watches(operator: OperatorProcess) -> bool:
    return "kubetune_operator_watching 1.0" in operator.metrics()


def test_a_standby_goes_on_after_a_crash(
    pair: tuple[OperatorProcess, OperatorProcess], studies: ControlPlane, namespace: str
) -> None:
    """It is well and ready while it waits and touches nothing; then it tunes, and nothing doubles.

    The one that comes back stands by in its turn, and takes over at once when it is let.
    """
    first, second = pair
    first.start()
    wait_until(lambda: holds(first), "the first to lead")
    second.start()
    wait_until(lambda: "stands by" in second.log, "the second to stand by")
    assert Server(f"http://127.0.0.1:{second.health_port}").healthy("/readyz")
    wait_until(lambda: watches(first), "the first to watch")
    assert not watches(second)
    with played(studies, namespace, below(3)) as play:
        study = Study(studies, namespace, trials={"max": 12, "parallelism": 2})
        study.until(lambda: study.running == [3, 4], "three trials to end")
        assert not holds(second)
        first.kill()
        wait_until(lambda: holds(second), "the second to lead")
        first.start()
        play.script = below(7)
        study.until(lambda: study.running == [7, 8], "four more to end")
        assert second.stop() == 0
        play.script = completes
        study.until(lambda: study.ended, "the end")
        assert first.log.count("holds lease") == 2
        assert sorted(number for number, _ in play.ended_of(study.uid)) == list(range(12))


def test_who_loses_the_lease_ends_at_once(
    pair: tuple[OperatorProcess, OperatorProcess], studies: ControlPlane, namespace: str
) -> None:
    """With words and an exit code of its own: a second operator would draw the same trials."""
    operator, _ = pair
    operator.start()
    wait_until(lambda: holds(operator), "it to lead")
    path = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases/kubetune"
    taken = {"spec": {"holderIdentity": "somebody-else", "leaseDurationSeconds": 600}}
    studies.request("PATCH", path, taken, "application/merge-patch+json")
    wait_until(lambda: not operator.alive, "it to end")
    assert f"lease {namespace}/kubetune was taken by somebody-else" in operator.log
    assert operator.stop() == 3


def test_without_the_right_it_says_so(
    studies: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    """A lease that it may not read ends the start with the server's sentence."""
    grant(studies)
    lease = f"--lease={namespace}/kubetune"
    operator = OperatorProcess(studies, tmp_path, namespaces=[namespace], options=[lease])
    operator.start(wait=False)
    wait_until(lambda: not operator.alive, "it to end")
    assert f"--lease {namespace}/kubetune: leases.coordination.k8s.io" in operator.log
    assert operator.stop() == 2
