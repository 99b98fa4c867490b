"""Kill -9 at every stage of a trial's life, one stage after the other, on a real node."""

import random
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kubetune.adapters.optuna.store import OptunaStore
from kubetune.app.clock import SystemClock
from kubetune.domain.trial import Trial, TrialState
from tests.cluster.cluster import Cluster
from tests.cluster.faults import Call, Rule
from tests.cluster.operators import OperatorProcess, grant
from tests.cluster.proxy import Proxy, proxied
from tests.cluster.requests import wait_until
from tests.integration.operator.stored import (
    expected_status,
    spec_of,
    stored_trials,
    without_times,
)

NAME = "sweep"
TRIALS = 54
FACTOR, MODULUS = 7919, 100_003

SCRIPT = f"""
echo "begun $TRIAL $ATTEMPT" >> /record/ledger
sleep 0.5
score=$(( KUBETUNE_PARAM_x * {FACTOR} % {MODULUS} ))
echo "done $TRIAL $ATTEMPT" >> /record/ledger
printf '{{"schema":1,"state":"Complete","reason":"","step":1,"metrics":{{"score":%s}}}}' $score \\
  > /dev/termination-log
"""


@dataclass(frozen=True)
class Point:
    """The request at which the operator is killed, counted from its start.

    `after`: once the API server has carried it out, but before the operator hears of it; else it
    never arrives. With `within_seconds` the kill comes some time after the request is answered.
    """

    name: str
    method: str
    path: str
    skip: int = 0
    after: bool = False
    within_seconds: float = 0.0


JOBS = r"/jobs$"
JOB = rf"/jobs/{NAME}-[0-9a-f]{{6}}-\d+$"
STATUS = r"/tuningstudies/sweep/status"
EVENTS = r"/events$"
STUDIES_LISTED = r"/tuningstudies(\?(?!.*watch=)|$)"
JOBS_LISTED = r"/jobs\?(?!.*watch=).*labelSelector"
PODS_LISTED = r"/pods\?(?!.*watch=).*labelSelector"

POINTS = (
    Point("the first dry run", "POST", r"/jobs\?dryRun"),
    Point("the first launch", "POST", JOBS),
    Point("the first launch, carried out", "POST", JOBS, after=True),
    Point("a second launch", "POST", JOBS, skip=1),
    Point("a third launch, carried out", "POST", JOBS, skip=2, after=True),
    Point("the list of studies", "GET", STUDIES_LISTED),
    Point("the list of Jobs", "GET", JOBS_LISTED),
    Point("the list of Jobs, answered", "GET", JOBS_LISTED, after=True),
    Point("the list of pods", "GET", PODS_LISTED),
    Point("a dry run, carried out", "POST", r"/jobs\?dryRun", after=True),
    Point("a status", "PATCH", STATUS),
    Point("a status, carried out", "PATCH", STATUS, after=True),
    Point("a second status", "PATCH", STATUS, skip=1),
    Point("a first event", "POST", EVENTS),
    Point("a first event, carried out", "POST", EVENTS, after=True),
    Point("a second event", "POST", EVENTS, skip=1),
    Point("a result told, its Job there", "DELETE", JOB),
    Point("a result told, its Job deleted", "DELETE", JOB, after=True),
    Point("a second result told", "DELETE", JOB, skip=1),
    Point("a third Job deleted", "DELETE", JOB, skip=2, after=True),
    Point("a draw after a launch", "POST", JOBS, after=True, within_seconds=0.05),
    Point("a draw after a Job's end", "DELETE", JOB, after=True, within_seconds=0.1),
    Point("the last result told", "DELETE", rf"/jobs/{NAME}-[0-9a-f]{{6}}-{TRIALS - 1}$"),
    Point("the last status", "PATCH", STATUS),
)
"""In the order in which they come; the operator dies once at each."""


class Lives:
    """One operator after another, each killed at its point."""

    def __init__(self, operator: OperatorProcess, proxy: Proxy) -> None:
        self._operator = operator
        self._proxy = proxy
        self._random = random.Random(1)

    def live_until(self, point: Point) -> None:
        """Starts the operator, and returns when it was killed at the point."""
        dead = threading.Event()

        def kill() -> None:
            self._operator.kill()
            dead.set()

        def deed() -> None:
            if point.within_seconds:
                threading.Timer(self._random.uniform(0, point.within_seconds), kill).start()
                return
            kill()
            if not point.after:
                raise ConnectionError("the request never leaves the dead operator")

        rule = self._rule(point, deed)
        self._operator.start(wait=False)
        wait_until(lambda: rule.hits or not self._operator.alive, point.name)
        assert rule.hits, f"it ended before {point.name}:\n{self._operator.log[-3000:]}"
        wait_until(dead.is_set, f"the kill at {point.name}")
        self._proxy.clear()

    def _rule(self, point: Point, deed: Any) -> Rule:
        fault = Call(deed, carried_out=point.after)
        return self._proxy.add(fault, point.method, point.path, skip=point.skip)


@contextmanager
def _operator(
    cluster: Cluster, namespace: str, folder: Path
) -> Iterator[tuple[OperatorProcess, Proxy]]:
    grant(cluster.plane)
    with proxied(cluster.plane, keep_bodies=False) as proxy:
        kubeconfig = proxy.kubeconfig_for("operator")
        operator = OperatorProcess(
            cluster.plane,
            folder,
            namespaces=[namespace],
            prometheus=cluster.prometheus.url,
            kubeconfig=kubeconfig,
        )
        try:
            yield operator, proxy
        finally:
            operator.kill()


def _manifest(record: Path) -> dict[str, Any]:
    def label(name: str) -> dict[str, Any]:
        return {"fieldRef": {"fieldPath": f"metadata.labels['kubetune.io/{name}']"}}

    trainer = {
        "name": "trainer",
        "image": "busybox:latest",
        "imagePullPolicy": "Never",
        "command": ["sh", "-c", SCRIPT],
        "env": [
            {"name": "TRIAL", "valueFrom": label("trial")},
            {"name": "ATTEMPT", "valueFrom": label("attempt")},
        ],
        "volumeMounts": [{"name": "record", "mountPath": "/record"}],
    }
    pod = {
        "terminationGracePeriodSeconds": 1,
        "containers": [trainer],
        "volumes": [{"name": "record", "hostPath": {"path": str(record)}}],
    }
    return {
        "apiVersion": "kubetune.io/v1alpha1",
        "kind": "TuningStudy",
        "metadata": {"name": NAME},
        "spec": {
            "objectives": [{"metric": "score", "direction": "Maximize"}],
            "parameters": [{"name": "x", "type": "Integer", "min": 0, "max": 1_000_000}],
            "sampler": {"algorithm": "Random", "seed": 5},
            "trials": {"max": TRIALS, "parallelism": 4},
            "trialTemplate": {"spec": pod},
        },
    }


@pytest.mark.timeout(900)
async def test_killed_at_every_stage(
    cluster: Cluster, cluster_namespace: str, tmp_path: Path
) -> None:
    """No kill loses or doubles a trial; in the end all is as if there had been none."""
    plane, namespace = cluster.plane, cluster_namespace
    record = tmp_path / "record"
    record.mkdir()
    record.chmod(0o777)  # a trial is another user here
    manifest = _manifest(record)
    plane.apply(manifest, namespace)
    with _operator(cluster, namespace, tmp_path) as (operator, proxy):
        lives = Lives(operator, proxy)
        for point in POINTS:
            lives.live_until(point)
        operator.start()
        wait_until(lambda: _study(cluster, namespace)["status"].get("completionTime"), "the end")
        jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        pods = f"/api/v1/namespaces/{namespace}/pods"
        wait_until(lambda: not plane.request("GET", jobs)["items"], "the last Job to go")
        wait_until(lambda: not plane.request("GET", pods)["items"], "the last pod to go")
        assert operator.stop() == 0

    study = _study(cluster, namespace)
    trials = stored_trials(operator.storage, namespace, NAME, study["metadata"]["uid"])
    _check_trials(trials, record / "ledger")
    assert [trial.parameters for trial in trials] == await _drawn(manifest, tmp_path)
    assert without_times(study["status"]) == without_times(expected_status(manifest, trials, study))
    refused = [one for one in plane.requests_of() if one.namespace == namespace and one.lacks_right]
    assert not refused


def _study(cluster: Cluster, namespace: str) -> Any:
    path = f"/apis/kubetune.io/v1alpha1/namespaces/{namespace}/tuningstudies/{NAME}"
    return cluster.plane.request("GET", path)


def _check_trials(trials: tuple[Trial, ...], ledger: Path) -> None:
    """Each ended once, with the value of its own parameters, after its only attempt ran once."""
    assert [trial.number for trial in trials] == list(range(TRIALS))
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    assert {trial.attempt for trial in trials} == {1}
    for trial in trials:
        assert trial.value == trial.parameters["x"] * FACTOR % MODULUS
    lines = Counter(ledger.read_text().splitlines())
    assert lines == Counter(f"{word} {n} 1" for word in ("begun", "done") for n in range(TRIALS))


async def _drawn(manifest: dict[str, Any], folder: Path) -> list[Any]:
    """The parameters that an operator draws whom nobody disturbs."""
    spec = spec_of(manifest)
    url = f"sqlite:///{folder / 'undisturbed.db'}"
    store = await OptunaStore.open(url, "undisturbed", spec, SystemClock())
    try:
        return [trial.parameters for trial in (await store.draw(TRIALS)).trials]
    finally:
        await store.close()
