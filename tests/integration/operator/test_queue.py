"""A queue such as Kueue holds Jobs back, lets them start, and takes their place away again.

Kueue itself is not here. Its part is played by what the API server offers to everybody: a mutating
policy suspends a Job with a queue's label as it is created, and the test does the rest by hand.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cluster.control_plane import ControlPlane
from tests.cluster.requests import Refused, wait_until
from tests.integration.operator.stage import MERGE, Study, below, completes
from tests.integration.operator.stored import history_of
from tests.integration.operator.theatre import Theatre

QUEUE = {"kueue.x-k8s.io/queue-name": "gpus", "kueue.x-k8s.io/priority-class": "low"}
POLICIES = "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolic"


class Queue:
    """Who decides when a Job may run."""

    def __init__(self, plane: ControlPlane, namespace: str) -> None:
        self.plane = plane
        self._jobs = f"/apis/batch/v1/namespaces/{namespace}/jobs"
        self._pods = f"/api/v1/namespaces/{namespace}/pods"

    def holds_back(self) -> bool:
        """Whether a Job that is created now would be suspended; the policy takes a moment."""
        container = {"name": "c", "image": "none"}
        template = {"spec": {"containers": [container], "restartPolicy": "Never"}}
        body = {"metadata": {"name": "rehearsal", "labels": QUEUE}, "spec": {"template": template}}
        made = self.plane.request("POST", f"{self._jobs}?dryRun=All", body)
        return bool(made["spec"].get("suspend"))

    def admit(self, job: str) -> None:
        """Lets a Job start, on the nodes that it was given."""
        place = {"template": {"spec": {"nodeSelector": {"pool": "gpu"}}}}
        self._change(job, {"suspend": False, **place})

    def has_seen(self, job: str) -> bool:
        """Whether the Job controller has noted that a Job is suspended."""
        status = self.plane.request("GET", f"{self._jobs}/{job}")["status"]
        held = {each["type"]: each["status"] for each in status.get("conditions", ())}
        return held.get("Suspended") == "True"

    def evict(self, job: str) -> None:
        """Takes its place away: the Job controller deletes its pod."""
        self._change(job, {"suspend": True})

    def pods(self, job: str) -> list[dict[str, Any]]:
        """The pods of a Job."""
        query = f"labelSelector=batch.kubernetes.io/job-name%3D{job}"
        return list(self.plane.request("GET", f"{self._pods}?{query}")["items"])

    def _change(self, job: str, spec: dict[str, Any]) -> None:
        self.plane.request("PATCH", f"{self._jobs}/{job}", {"spec": spec}, MERGE)


@pytest.fixture
def queue(theatre: Theatre) -> Iterator[Queue]:
    """A queue for the Jobs of the first namespace that have its label."""
    plane, namespace = theatre.plane, theatre.namespace
    policy = {
        "metadata": {"name": "queue"},
        "spec": {
            "matchConstraints": {
                "resourceRules": [
                    {
                        "apiGroups": ["batch"],
                        "apiVersions": ["v1"],
                        "operations": ["CREATE"],
                        "resources": ["jobs"],
                    }
                ]
            },
            "matchConditions": [
                {
                    "name": "queued",
                    "expression": "has(object.metadata.labels) &&"
                    " 'kueue.x-k8s.io/queue-name' in object.metadata.labels",
                }
            ],
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "mutations": [
                {
                    "patchType": "ApplyConfiguration",
                    "applyConfiguration": {
                        "expression": "Object{spec: Object.spec{suspend: true}}"
                    },
                }
            ],
        },
    }
    selector = {"matchLabels": {"kubernetes.io/metadata.name": namespace}}
    binding = {
        "metadata": {"name": "queue"},
        "spec": {"policyName": "queue", "matchResources": {"namespaceSelector": selector}},
    }
    plane.request("POST", f"{POLICIES}ies", policy)
    plane.request("POST", f"{POLICIES}ybindings", binding)
    found = Queue(plane, namespace)
    wait_until(found.holds_back, "the queue to open")
    yield found
    plane.request("DELETE", f"{POLICIES}ybindings/queue")
    plane.request("DELETE", f"{POLICIES}ies/queue")
    wait_until(lambda: not found.holds_back(), "the queue to close")


def names(study: Study) -> list[str]:
    """The study's Jobs."""
    return sorted(job["metadata"]["name"] for job in study.jobs)


def runs(study: Study) -> list[int]:
    """The trials that have a place."""
    return sorted(study.active.keys() - waiting(study).keys())


def seen(study: Study) -> object:
    """The newest generation of the study that its status speaks of."""
    return study.status.get("observedGeneration")


def waiting(study: Study) -> dict[int, str]:
    """Why trials wait, by number."""
    return {n: trial["waiting"] for n, trial in study.active.items() if "waiting" in trial}


def test_a_queued_trial_waits_without_end(theatre: Theatre, queue: Queue) -> None:
    """Its Job has the study's labels for the queue; no time limit runs while it is held back.

    Meanwhile a trial whose Job gets no pod for another reason has come to the end of its patience.
    """
    theatre.play.script = below(0)
    limits = {"max": 2, "parallelism": 2, "pendingTimeoutSeconds": 1, "timeoutSeconds": 1}
    study = theatre.study("queued", labels=QUEUE | {"team": "vision"}, trials=limits)
    study.until(lambda: len(waiting(study)) == 2, "two trials to wait")
    for job in study.jobs:
        assert QUEUE.items() <= job["metadata"]["labels"].items()
        assert "team" not in job["metadata"]["labels"]
    stuck = theatre.study(
        "stuck",
        trials={"max": 1, "pendingTimeoutSeconds": 1, "maxFailed": 0},
        trialTemplate={
            "spec": {
                "serviceAccountName": "nobody",
                "containers": [{"name": "trainer", "image": "none"}],
            }
        },
    )
    assert stuck.finish()["trials"]["failed"] == 1
    assert set(waiting(study).values()) == {"queued: the Job is suspended"}
    assert study.counts["failed"] == 0
    shown = f'kubetune_study_waiting_trials{{namespace="{study.namespace}",study="queued"}} 2.0'
    assert shown in theatre.operator.metrics()
    study.delete()


def test_an_evicted_trial_goes_on_when_it_is_its_turn_again(theatre: Theatre, queue: Queue) -> None:
    """Waits, runs where it was admitted, waits again, runs again: one trial, one attempt.

    Nothing is lost, nothing doubled, and the operator never changes a Job.
    """
    theatre.play.script = below(0)
    asked_before = len(theatre.proxy.seen)
    study = theatre.study("evicted", labels=QUEUE, trials={"max": 3, "parallelism": 2})
    study.until(lambda: len(waiting(study)) == 2, "two trials to wait")
    first, second = names(study)
    queue.admit(first)
    study.until(lambda: runs(study) == [0], "the first trial to run")
    assert queue.pods(first)[0]["spec"]["nodeSelector"] == {"pool": "gpu"}
    assert not queue.pods(second)
    (before,) = (pod["metadata"]["uid"] for pod in queue.pods(first))
    queue.evict(first)
    study.until(lambda: len(waiting(study)) == 2, "the first trial to wait again")
    assert (study.counts["active"], study.counts["failed"]) == (2, 0)
    queue.admit(second)
    study.until(lambda: runs(study) == [1], "the second trial to run")
    queue.admit(first)
    study.until(lambda: runs(study) == [0, 1], "both trials to run")
    assert before not in {pod["metadata"]["uid"] for pod in queue.pods(first)}
    theatre.play.script = completes
    study.until(lambda: waiting(study), "the third trial to wait")
    (third,) = names(study)
    queue.admit(third)
    assert study.finish()["trials"]["complete"] == 3
    theatre.check(study, 3)
    assert {trial.attempt for trial in history_of(theatre.operator.storage, study)} == {1}
    writes = [one for one in theatre.proxy.seen[asked_before:] if "/jobs" in one.path]
    changes = [one for one in writes if one.method not in {"GET", "POST", "DELETE"}]
    assert not changes
    assert not [one for one in writes if one.method == "POST" and "suspend" in one.body["spec"]]


def test_waiting_in_a_queue_is_no_waiting_for_a_pod(theatre: Theatre, queue: Queue) -> None:
    """A Job that is let go again has times from before; nothing runs out before it has a pod.

    Here the Job controller is away for a moment just then: the time in the queue was longer than
    `pendingTimeoutSeconds`.
    """
    manager = "kube-controller-manager"
    words = "its queue has let its Job go; it has no pod yet"
    theatre.play.script = below(0)
    study = theatre.study("let-go", labels=QUEUE, trials={"max": 1, "parallelism": 1})
    study.until(lambda: waiting(study), "the trial to wait")
    (job,) = names(study)
    queue.admit(job)
    study.until(lambda: runs(study) == [0], "the trial to run")
    queue.evict(job)
    wait_until(lambda: queue.has_seen(job) and not queue.pods(job), "its pod to go")
    made_at = datetime.fromisoformat(study.jobs[0]["metadata"]["creationTimestamp"])
    wait_until(lambda: datetime.now(UTC) - made_at > timedelta(seconds=3), "a long time")
    theatre.plane.stop_component(manager)
    try:
        queue.admit(job)
        study.until(lambda: waiting(study) == {0: words}, "word of it")
        for generation, seconds in ((2, 1), (3, 600)):
            study.patch(trials={"max": generation, "pendingTimeoutSeconds": seconds})
            study.until(lambda wanted=generation: seen(study) == wanted, "another pass")
        assert (waiting(study), study.counts["failed"]) == ({0: words}, 0)
    finally:
        theatre.plane.start_component(manager)
    study.until(lambda: runs(study) == [0], "the trial to run again")
    assert {trial.attempt for trial in history_of(theatre.operator.storage, study)} == {1}
    study.delete()


def test_a_place_asked_for_in_words_of_kueue_is_passed_on(theatre: Theatre, queue: Queue) -> None:
    """Labels of the study are the Job's; annotations of the template, as for a topology, the pod's.

    The API server refuses what Kueue would refuse too late: a queue's name that is no label.
    """
    theatre.play.script = below(0)
    near = {"kueue.x-k8s.io/podset-preferred-topology": "cloud.provider.com/topology-rack"}
    container = {"name": "trainer", "image": "none", "resources": {"requests": {"cpu": "2"}}}
    template = {"metadata": {"annotations": near}, "spec": {"containers": [container]}}
    study = theatre.study("near", labels=QUEUE, trials={"max": 1}, trialTemplate=template)
    study.until(lambda: waiting(study), "the trial to wait")
    (job,) = study.jobs
    assert QUEUE.items() <= job["metadata"]["labels"].items()
    inside = job["spec"]["template"]
    assert near.items() <= inside["metadata"]["annotations"].items()
    assert inside["spec"]["containers"][0]["resources"] == container["resources"]
    theatre.play.script = completes
    queue.admit(job["metadata"]["name"])
    study.finish()
    with pytest.raises(Refused) as refused:
        theatre.study("far", labels={"kueue.x-k8s.io/queue-name": "no queue"})
    assert refused.value.status == 422


def test_parallelism_counts_those_that_wait(theatre: Theatre, queue: Queue) -> None:
    """So a queue never holds more of a study than may run; more are drawn when one has ended."""
    theatre.play.script = below(0)
    study = theatre.study("few", labels=QUEUE, trials={"max": 4, "parallelism": 2})
    study.until(lambda: len(waiting(study)) == 2, "two trials to wait")
    first, _ = names(study)
    theatre.play.script = completes
    queue.admit(first)
    study.until(lambda: study.counts["complete"] == 1, "the first trial to complete")
    study.until(lambda: len(waiting(study)) == 2, "a third trial beside the second")
    assert sorted(study.active) == [1, 2]
    assert len(names(study)) == 2
    assert not runs(study)
    study.delete()


def test_a_restarted_operator_finds_queued_and_evicted_trials(
    theatre: Theatre, queue: Queue
) -> None:
    """What happens in the queue while no operator is there changes nothing either."""
    theatre.play.script = below(0)
    study = theatre.study("left", labels=QUEUE, trials={"max": 2, "parallelism": 2})
    study.until(lambda: len(waiting(study)) == 2, "two trials to wait")
    first, second = names(study)
    queue.admit(first)
    study.until(lambda: runs(study) == [0], "the first trial to run")
    theatre.operator.kill()
    queue.evict(first)
    wait_until(lambda: not queue.pods(first), "its pod to go")
    theatre.operator.start()
    study.until(lambda: len(waiting(study)) == 2, "both to wait")
    theatre.play.script = completes
    queue.admit(first)
    queue.admit(second)
    assert study.finish()["trials"]["complete"] == 2
    theatre.check(study, 2)


def test_a_queued_trial_of_a_study_that_ends_is_taken_out_of_the_queue(
    theatre: Theatre, queue: Queue
) -> None:
    """It would run for nothing otherwise."""
    theatre.play.script = below(0)
    study = theatre.study("ended", labels=QUEUE, trials={"max": 2, "parallelism": 2})
    study.until(lambda: len(waiting(study)) == 2, "two trials to wait")
    study.patch(suspend=True)
    study.until(lambda: not study.jobs, "the Jobs to go")
    assert study.counts["failed"] == 0
    study.delete()
