"""The state of one container, as its kubelet tells it."""

from dataclasses import dataclass

from kubetune.adapters.kubernetes import plain
from kubetune.adapters.kubernetes.plain import Object
from kubetune.domain.contract import TRAINER

MESSAGE_LIMIT = 4097
"""Bytes kept of a termination message: one more than a legal one has."""
WORDS_LIMIT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerSeen:
    """A container that waits, runs, or has ended; none of these before its node knows of it.

    `waiting` is the kubelet's reason (`ErrImagePull`), `words` its sentence about it. `code` is
    the exit code, `reason` and `message` come with it. Times are Unix seconds.
    """

    name: str = TRAINER
    waiting: str = ""
    words: str = ""
    running: bool = False
    started_at: float | None = None
    ended: bool = False
    ended_at: float | None = None
    code: int | None = None
    reason: str = ""
    message: bytes = b""


def trainer_of(pod: Object) -> ContainerSeen:
    """The container that is the trial."""
    for status in plain.objects(pod, "status", "containerStatuses"):
        if status.get("name") == TRAINER:
            return _container(status)
    return ContainerSeen()


def containers_of(pod: Object) -> tuple[ContainerSeen, ...]:
    """The other containers that keep a trial from its start or tell why its pod failed."""
    lists = ("initContainerStatuses", "containerStatuses")
    found = (
        _container(status)
        for each in lists
        for status in plain.objects(pod, "status", each)
        if status.get("name") != TRAINER
    )
    return tuple(each for each in found if each.waiting or (each.ended and each.code != 0))


def _container(status: Object) -> ContainerSeen:
    running = plain.at(status, "state", "running")
    ended = plain.at(status, "state", "terminated")
    has_ended = ended is not None
    return ContainerSeen(
        name=plain.text(status, "name"),
        waiting=plain.text(status, "state", "waiting", "reason"),
        words=plain.text(status, "state", "waiting", "message")[:WORDS_LIMIT],
        running=running is not None and not has_ended,
        started_at=plain.seconds(ended if has_ended else running, "startedAt"),
        ended=has_ended,
        ended_at=plain.seconds(ended, "finishedAt"),
        code=plain.whole(ended, "exitCode"),
        reason=plain.text(ended, "reason"),
        message=plain.text(ended, "message").encode(errors="replace")[:MESSAGE_LIMIT],
    )
