"""How a run ended, from what its pod or, without one, its Job says."""

import re
from typing import TypeAlias

from kubetune.adapters.kubernetes.container import ContainerSeen
from kubetune.adapters.kubernetes.seen import JobSeen, PodSeen
from kubetune.domain.runs import Exit

End: TypeAlias = tuple[Exit, float | None]
"""The exit, and when it was in Unix seconds; None when nobody noted it."""

INVALID_IMAGE = "InvalidImageName"
"""The kubelet's reason for a name that no registry could ever have."""

_NOT_STARTED = frozenset({"StartError", "ContainerCannotRun"})
"""Reasons of the container runtime: the command does not exist, may not be run ..."""

_OUT_OF_MEMORY = "OOMKilled"
_OUT_OF_TIME = "DeadlineExceeded"
_UNKNOWN = "ContainerStatusUnknown"
_KILLED = frozenset({137, 143})
_CLOCK_SECONDS = 1.0
"""Timestamps are cut to whole seconds."""

_CODE_IN_WORDS = re.compile(r"failed with exit code (\d{1,3}) ")


def exit_of(pod: PodSeen, *, stopping: bool) -> End | None:
    """The end of a trial's container; None while it may still come to one.

    Other containers that go on keep no trial from its end. `stopping`: this program deletes the
    pod, so that its deletion is no disruption.
    """
    trainer = pod.trainer
    if trainer.ended:
        return _own(pod, stopping=stopping), trainer.ended_at
    invalid = next((each for each in (trainer, *pod.others) if each.waiting == INVALID_IMAGE), None)
    if invalid is not None and not trainer.running:
        return Exit(code=None, launch_error=f"{INVALID_IMAGE}: {invalid.words}"), pod.started_at
    if pod.phase == "Succeeded":
        return Exit(code=0), pod.disrupted_at
    return _without_trainer(pod) if pod.phase == "Failed" else None


def unseen(pod: PodSeen, ended_at: float | None) -> End:
    """The end of a pod whose node does not say what became of it."""
    return Exit(code=None, disrupted=True), pod.disrupted_at or ended_at


def of_job(job: JobSeen) -> End:
    """The end of a Job whose pod is gone: its own words are all there is."""
    if job.over == "Complete":
        return Exit(code=0), job.over_at
    if job.reason == _OUT_OF_TIME:
        return Exit(code=None, timed_out=True), job.over_at
    told = _CODE_IN_WORDS.search(job.message)
    if told:
        return Exit(code=int(told.group(1))), job.over_at
    return Exit(code=None, disrupted=True), job.over_at


def _own(pod: PodSeen, *, stopping: bool) -> Exit:
    trainer = pod.trainer
    if trainer.reason in _NOT_STARTED:
        words = trainer.message.decode(errors="replace") or trainer.reason
        return Exit(code=trainer.code, launch_error=words)
    unknown = trainer.reason == _UNKNOWN
    return Exit(
        code=None if unknown else trainer.code,
        message=b"" if unknown else trainer.message,
        out_of_memory=trainer.reason == _OUT_OF_MEMORY and trainer.code != 0,
        disrupted=pod.disrupted or unknown or (_taken_away(pod) and not stopping),
        timed_out=pod.reason == _OUT_OF_TIME or _ran_out_of_time(pod),
    )


def _without_trainer(pod: PodSeen) -> End:
    """A pod that has failed before its trainer ran, or while its node was away."""
    if pod.reason == _OUT_OF_TIME:
        return Exit(code=None, timed_out=True), pod.disrupted_at
    broken = next((each for each in pod.others if each.ended), None)
    if broken is None or pod.disrupted or pod.trainer.running:
        return unseen(pod, pod.deleted_at)
    return _of_other(broken), broken.ended_at


def _of_other(broken: ContainerSeen) -> Exit:
    """A container beside the trainer that kept it from its start."""
    words = broken.message.decode(errors="replace") or broken.reason
    if broken.reason in _NOT_STARTED:
        return Exit(code=broken.code, launch_error=f"container {broken.name}: {words}")
    return Exit(
        code=broken.code,
        message=f"container {broken.name}: {words}".encode(),
        out_of_memory=broken.reason == _OUT_OF_MEMORY,
    )


def _taken_away(pod: PodSeen) -> bool:
    """Whether the pod's deletion was asked for before its trainer ended."""
    ended_at = pod.trainer.ended_at
    return pod.deleted_at is not None and (ended_at is None or ended_at >= pod.deleted_at)


def _ran_out_of_time(pod: PodSeen) -> bool:
    """Whether the kubelet killed it for its time: the container tells its end before the pod."""
    trainer = pod.trainer
    if pod.deadline_seconds is None or pod.started_at is None or trainer.ended_at is None:
        return False
    spent = trainer.ended_at - pod.started_at + _CLOCK_SECONDS
    return trainer.code in _KILLED and spent >= pod.deadline_seconds
