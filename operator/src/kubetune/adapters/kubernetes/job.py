"""The Job of one attempt of a trial. It is created once and never changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubetune.adapters.kubernetes import names
from kubetune.adapters.kubernetes.pod import pod_template
from kubetune.adapters.kubernetes.reference import API_VERSION, KIND
from kubetune.domain.contract import TRAINER
from kubetune.domain.exits import EXIT_BAD_CONFIGURATION
from kubetune.domain.ports import LaunchOrder

KEPT_SECONDS = 7 * 24 * 3600
"""How long a finished Job waits for an operator to read its result before it goes by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudyObject:
    """The resource that owns the Jobs."""

    name: str
    namespace: str
    uid: str
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def jobs_path(self) -> str:
        """Where the API server has the Jobs of the study's namespace."""
        return f"/apis/batch/v1/namespaces/{self.namespace}/jobs"

    @property
    def pods_path(self) -> str:
        """Where the API server has the pods of the study's namespace."""
        return f"/api/v1/namespaces/{self.namespace}/pods"


def render(order: LaunchOrder, study: StudyObject) -> dict[str, Any]:
    """The Job, as it is sent.

    It never starts a second pod by itself: the study decides what is tried again, counts it, and
    lets the next attempt go on from the checkpoint.
    """
    trial = order.trial
    labels = names.labels(study.name, study.uid, trial.number, trial.attempt)
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": names.job_name(study.name, study.uid, trial.number, trial.attempt),
            "namespace": study.namespace,
            "labels": {**_queue(study), **labels},
            "ownerReferences": [_owner(study)],
        },
        "spec": {
            "backoffLimit": 0,
            "podReplacementPolicy": "Failed",
            "podFailurePolicy": {"rules": _rules()},
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "template": pod_template(order, labels),
        },
    }


def _queue(study: StudyObject) -> dict[str, str]:
    """The labels by which Kueue admits a Job."""
    return {
        name: value for name, value in study.labels.items() if name.startswith(names.KUEUE_PREFIX)
    }


def _owner(study: StudyObject) -> dict[str, Any]:
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "name": study.name,
        "uid": study.uid,
        "controller": True,
        "blockOwnerDeletion": True,
    }


def _rules() -> list[dict[str, Any]]:
    disrupted = {"type": "DisruptionTarget", "status": "True"}
    refused = {
        "containerName": TRAINER,
        "operator": "In",
        "values": [EXIT_BAD_CONFIGURATION],
    }
    return [
        {"action": "FailJob", "onPodConditions": [disrupted]},
        {"action": "FailJob", "onExitCodes": refused},
    ]
