"""Orders to render: one study a golden file, each about one thing."""

from collections.abc import Mapping
from typing import Any

from kubetune.adapters.kubernetes.job import StudyObject
from kubetune.domain.ports import LaunchOrder
from kubetune.domain.study import TrialPolicy
from tests.builders import make_study, make_trial
from tests.unit.adapters.kubernetes.bodies import STUDY_UID

STUDY = StudyObject(name="study", namespace="default", uid=STUDY_UID)
QUEUED = StudyObject(
    name="study",
    namespace="default",
    uid=STUDY_UID,
    labels={"kueue.x-k8s.io/queue-name": "gpus", "team": "vision"},
)


def make_order(
    container: Mapping[str, Any] | None = None,
    *,
    pod: Mapping[str, Any] | None = None,
    metadata: Mapping[str, Any] | None = None,
    beside: tuple[Mapping[str, Any], ...] = (),
    trial: Mapping[str, Any] | None = None,
    **study: Any,
) -> LaunchOrder:
    """An order whose trainer has an image and this besides."""
    trainer = {"name": "trainer", "image": "kubetune-trainer:latest", **(container or {})}
    template: dict[str, Any] = {"spec": {"containers": [*beside, trainer], **(pod or {})}}
    if metadata:
        template["metadata"] = dict(metadata)
    return LaunchOrder(
        spec=make_study(template=template, **study),
        study_uid=STUDY_UID,
        trial=make_trial(3, **(trial or {})),
    )


GOLDEN: Mapping[str, tuple[LaunchOrder, StudyObject]] = {
    "minimal": (make_order({"args": ["digits"]}), STUDY),
    "gpu": (
        make_order(
            {"resources": {"limits": {"nvidia.com/gpu": 1, "memory": "24Gi", "cpu": 3.5}}},
            pod={"nodeSelector": {"gpu": "a100"}, "runtimeClassName": "nvidia"},
        ),
        STUDY,
    ),
    "checkpoints": (
        make_order(
            {"volumeMounts": [{"name": "data", "mountPath": "/data"}]},
            pod={"volumes": [{"name": "data", "emptyDir": {}}]},
            trial={"attempt": 2},
            checkpoint_claim="lora",
            trials=TrialPolicy(max=1, timeout_seconds=90.5),
        ),
        STUDY,
    ),
    "kueue": (make_order(), QUEUED),
    "own": (
        make_order(
            {
                "env": [
                    {"name": "KUBETUNE_TRIAL", "value": "not this one"},
                    {"name": "RATE", "value": "$(KUBETUNE_PARAM_x)"},
                    {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
                ],
                "ports": [{"name": "metrics", "containerPort": 8000}],
                "terminationMessagePolicy": "FallbackToLogsOnError",
            },
            pod={
                "serviceAccountName": "trainer",
                "automountServiceAccountToken": True,
                "terminationGracePeriodSeconds": 120,
                "initContainers": [
                    {
                        "name": "proxy",
                        "image": "proxy",
                        "restartPolicy": "Always",
                        "resources": {"requests": {"cpu": 1}},
                    }
                ],
            },
            metadata={
                "labels": {"team": "vision", "kubetune.io/trial": "99"},
                "annotations": {"prometheus.io/scrape": "false"},
            },
            beside=({"name": "logs", "image": "logs"},),
        ),
        STUDY,
    ),
    "values": (
        make_order(
            trial={
                "parameters": {
                    "rate": 6e-05,
                    "third": 1 / 3,
                    "n": 3,
                    "on": True,
                    "off": False,
                    "text": 'a "b" $(HOME) $$ é',
                    "empty": "",
                }
            }
        ),
        STUDY,
    ),
}
"""By the name of their file in tests/golden/jobs."""
