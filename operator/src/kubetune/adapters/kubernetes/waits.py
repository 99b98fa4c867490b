"""Why a run does not start, in words, and what its trial would fail with if that went on.

Every wait has a beginning, so that each of them comes to an end, but one in a queue, until the Job
controller has seen that it is over.
"""

from dataclasses import dataclass

from kubetune.adapters.kubernetes.seen import JobSeen, PodSeen
from kubetune.domain.reasons import TrialReason
from kubetune.domain.result import clean


@dataclass(frozen=True, slots=True)
class Wait:
    """See Run.waiting, Run.stuck, Run.stuck_since and Run.starting."""

    words: str
    stuck: TrialReason = TrialReason.NONE
    since: float | None = None
    starting: bool = False


_GATED = "SchedulingGated"
_IMAGE = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
_CREATION = frozenset(
    {
        "CreateContainerConfigError",
        "CreateContainerError",
        "PreCreateHookError",
        "PreStartHookError",
        "PostStartHookError",
        "RunContainerError",
    }
)


def queued() -> Wait:
    """Held back by a queue such as Kueue."""
    return Wait("queued: the Job is suspended")


def released() -> Wait:
    """Let go by its queue a moment ago: how long it has been so nobody has noted yet."""
    return Wait("its queue has let its Job go; it has no pod yet")


def of_job(job: JobSeen) -> Wait:
    """Without a pod: a quota, an admission policy or a missing service account refuses it."""
    words = "its Job has no pod yet; the Job's events say why when that goes on"
    since = job.started_at or job.created_at
    return Wait(words, TrialReason.LAUNCH_FAILED, since, starting=True)


def another_pod(since: float | None) -> Wait:
    """Its pod was taken away by its queue."""
    return Wait("waits for another pod", TrialReason.LAUNCH_FAILED, since, starting=True)


def of_pod(pod: PodSeen) -> Wait:
    """What the scheduler or the kubelet says."""
    if pod.unscheduled == _GATED:
        return Wait(clean(f"queued: {pod.unscheduled_message or _GATED}"))
    if pod.unscheduled or not pod.node:
        words = clean(pod.unscheduled_message) or "the scheduler has not placed it yet"
        since = pod.unscheduled_at or pod.created_at
        return Wait(f"waits for a node: {words}", TrialReason.UNSCHEDULABLE, since)
    since = pod.started_at or pod.created_at
    for each in (pod.trainer, *pod.others):
        if each.waiting in _IMAGE:
            words = clean(f"waits for its image: {each.waiting}: {each.words}")
            return Wait(words, TrialReason.IMAGE_PULL_FAILED, since)
        if each.waiting in _CREATION:
            words = clean(f"container {each.name} cannot start: {each.waiting}: {each.words}")
            return Wait(words, TrialReason.LAUNCH_FAILED, since)
    words = clean(f"its node starts it: {pod.trainer.waiting}").removesuffix(":")
    return Wait(words, TrialReason.LAUNCH_FAILED, since, starting=True)
