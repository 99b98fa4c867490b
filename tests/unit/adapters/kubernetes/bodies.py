"""Jobs and pods as an API server has them; a test names only what it is about."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kubetune.adapters.kubernetes import names
from kubetune.adapters.kubernetes.runs import families, run_of
from kubetune.adapters.kubernetes.seen import JobSeen, PodSeen
from kubetune.domain.runs import Run
from tests.builders import NOW

STUDY_UID = "0f3e5a1c-52e8-4e54-8c4f-2f7d4a5b6c7d"
JOB_UID = "job-uid"


def at(seconds: float) -> str:
    """The timestamp of so many seconds before or after NOW."""
    return datetime.fromtimestamp(NOW + seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def condition(kind: str, status: str = "True", **more: Any) -> dict[str, Any]:
    return {"type": kind, "status": status, "lastTransitionTime": at(0), **more}


def job_body(
    *,
    number: int = 3,
    attempt: int = 1,
    uid: str = JOB_UID,
    spec: Mapping[str, Any] | None = None,
    meta: Mapping[str, Any] | None = None,
    **status: Any,
) -> dict[str, Any]:
    """A Job that was created a minute before NOW."""
    return {
        "metadata": {
            "name": names.job_name("study", STUDY_UID, number, attempt),
            "namespace": "default",
            "uid": uid,
            "labels": names.labels("study", STUDY_UID, number, attempt),
            "ownerReferences": [{"uid": STUDY_UID, "controller": True}],
            "creationTimestamp": at(-60),
            **(meta or {}),
        },
        "spec": spec or {},
        "status": {"startTime": at(-59), **status},
    }


def pod_body(
    state: Mapping[str, Any] | None = None,
    *,
    number: int = 3,
    attempt: int = 1,
    job_uid: str = JOB_UID,
    spec: Mapping[str, Any] | None = None,
    meta: Mapping[str, Any] | None = None,
    beside: list[dict[str, Any]] | None = None,
    **status: Any,
) -> dict[str, Any]:
    """A pod on a node, whose trainer is in this state."""
    trainer = [] if state is None else [{"name": "trainer", "state": state}]
    return {
        "metadata": {
            "name": f"{names.job_name('study', STUDY_UID, number, attempt)}-x7k2p",
            "namespace": "default",
            "uid": "pod-uid",
            "labels": names.labels("study", STUDY_UID, number, attempt),
            "ownerReferences": [{"kind": "Job", "uid": job_uid, "controller": True}],
            "creationTimestamp": at(-58),
            **(meta or {}),
        },
        "spec": {"nodeName": "node", **(spec or {})},
        "status": {
            "phase": "Pending",
            "startTime": at(-50),
            "containerStatuses": [*(beside or []), *trainer],
            **status,
        },
    }


def running(since: float = -40) -> dict[str, Any]:
    return {"running": {"startedAt": at(since)}}


def waiting(reason: str, message: str = "") -> dict[str, Any]:
    return {"waiting": {"reason": reason, "message": message}}


def terminated(code: int, reason: str = "", message: str = "", **more: Any) -> dict[str, Any]:
    """An end ten seconds before NOW, after half a minute."""
    ended = {
        "exitCode": code,
        "reason": reason or ("Error" if code else "Completed"),
        "message": message,
        "startedAt": at(-40),
        "finishedAt": at(-10),
    }
    return {"terminated": {**ended, **more}}


def deleted(asked: float, grace: int = 30) -> dict[str, Any]:
    """The metadata of a pod whose deletion was asked for so many seconds from NOW."""
    return {"deletionTimestamp": at(asked + grace), "deletionGracePeriodSeconds": grace}


def see(job: dict[str, Any] | None, *pods: dict[str, Any], now: float = NOW) -> Run:
    """The one run that these are."""
    jobs = [] if job is None else [JobSeen.of(job)]
    (family,) = families(jobs, [PodSeen.of(pod) for pod in pods])
    return run_of(family, now)
