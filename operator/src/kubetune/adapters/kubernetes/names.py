"""Names and labels of what a study has in the cluster. Declared here alone."""

import re
from collections.abc import Mapping
from types import MappingProxyType

GROUP = "kubetune.io"
MANAGED: Mapping[str, str] = MappingProxyType({"app.kubernetes.io/managed-by": "kubetune"})
"""On every Job and pod; what is watched is selected by it."""
SELECTOR = ",".join(f"{name}={value}" for name, value in MANAGED.items())
"""The same as the API server takes it in a query."""

STUDY = f"{GROUP}/study"
STUDY_UID = f"{GROUP}/study-uid"
TRIAL = f"{GROUP}/trial"
ATTEMPT = f"{GROUP}/attempt"

KUEUE_PREFIX = "kueue.x-k8s.io/"
"""A study's labels that begin so are its Jobs' as well: its queue, its priority."""

METRICS = "metrics"
"""The container port that is scraped."""
METRICS_PORT = 9464
SCRAPE_ANNOTATION = "prometheus.io/scrape"
PORT_ANNOTATION = "prometheus.io/port"

CHECKPOINT_VOLUME = "kubetune-checkpoints"
CHECKPOINT_PATH = "/kubetune/checkpoints"

_LABEL_LENGTH = 63
_STUDY_LENGTH = 40
_UID_LENGTH = 6
_GENERATED_LENGTH = 58


def job_name(study: str, uid: str, number: int, attempt: int) -> str:
    """The Job of one attempt: the same for ever, and another for every study, trial and attempt.

    `<study, cut to 40>-<6 hex of the uid>-<number>`, then `-<attempt>` from the second on. Shorter
    than the 63 characters that a Job's name has room for as a label of its pods.
    """
    name = f"{_prefix(study, uid)}-{number}"
    return name if attempt == 1 else f"{name}-{attempt}"


def is_pod_name(pod: str, job: str) -> bool:
    """Whether a pod is named as the Job controller names the pods of this Job.

    `<job>-`, and a few characters of the API server's, which first cuts what is longer than 58.
    """
    return pod.startswith(f"{job}-"[:_GENERATED_LENGTH])


def rehearsal_name(study: str, uid: str) -> str:
    """The Job that is only ever rehearsed; no attempt has this name."""
    return f"{_prefix(study, uid)}-rehearsal"


def results_name(study: str, uid: str) -> str:
    """The ConfigMap with what a study found: another one for a study made anew under its name."""
    return f"{_prefix(study, uid)}-results"


def study_labels(study: str, uid: str) -> dict[str, str]:
    """What everything carries that belongs to a study."""
    return {**MANAGED, STUDY: study[:_LABEL_LENGTH].strip("-_."), STUDY_UID: uid}


def labels(study: str, uid: str, number: int, attempt: int) -> dict[str, str]:
    """What a Job and its pod carry: whose they are, which attempt of which trial."""
    return {
        **study_labels(study, uid),
        TRIAL: str(number),
        ATTEMPT: str(attempt),
    }


def _prefix(study: str, uid: str) -> str:
    """A resource may be named with dots; a pod's host name and its parts may not end in them."""
    short = re.sub(r"[^a-z0-9]+", "-", study[:_STUDY_LENGTH]).strip("-") or "study"
    return f"{short}-{re.sub(r'[^0-9a-f]', '', uid)[:_UID_LENGTH].ljust(_UID_LENGTH, '0')}"
