"""What a Job and its pods say of a run. The pod counts: its Job hears of its end a second later."""

from collections.abc import Sequence
from dataclasses import dataclass

from kubetune.adapters.kubernetes import exits, waits
from kubetune.adapters.kubernetes.seen import JobSeen, PodSeen
from kubetune.domain.exits import decided
from kubetune.domain.result import parse
from kubetune.domain.runs import Exit, Run, RunState

SETTLE_SECONDS = 10.0
"""How long the end of a Job waits for its pod's last word, which comes by another watch."""

LOST_SECONDS = 60.0
"""How long after its grace period a pod may still be said to run before its node counts as lost."""


@dataclass(frozen=True, slots=True)
class Family:
    """The Job of one attempt, None once it is deleted, and its pods."""

    uid: str
    number: int
    attempt: int
    job: JobSeen | None
    pods: tuple[PodSeen, ...] = ()

    @property
    def stopping(self) -> bool:
        """Whether its end has begun by a deletion of the Job."""
        return self.job is None or self.job.deleted_at is not None

    @property
    def pod(self) -> PodSeen | None:
        """The pod that counts: the newest, and of several one that nobody has deleted."""
        return max(
            self.pods,
            key=lambda pod: (pod.deleted_at is None, pod.created_at or 0.0, pod.uid),
            default=None,
        )


def families(jobs: Sequence[JobSeen], pods: Sequence[PodSeen]) -> tuple[Family, ...]:
    """Jobs with their pods, and pods whose Job is gone; in order of trials and attempts."""
    own: dict[str, list[PodSeen]] = {}
    for pod in pods:
        own.setdefault(pod.job_uid, []).append(pod)
    found = [
        Family(job.uid, job.number, job.attempt, job, tuple(own.pop(job.uid, ())))
        for job in jobs
        if job.number is not None and job.attempt is not None
    ]
    found += [
        Family(uid, pods[0].number, pods[0].attempt, None, tuple(pods))
        for uid, pods in own.items()
        if uid and pods[0].number is not None and pods[0].attempt is not None
    ]
    return tuple(sorted(found, key=lambda each: (each.number, each.attempt, each.uid)))


def run_of(family: Family, now: float) -> Run:
    """The run that a family is.

    A Job that was suspended after it had begun waits in its queue again: its pod was taken away,
    and it gets another; unless that pod has come to its result meanwhile. What is known of a Job
    that its queue has just let go is from before.
    """
    job, pod = family.job, family.pod
    lives = job is not None and not job.over and job.deleted_at is None
    if job is not None and lives and (job.suspended or job.released):
        last = pod and exits.exit_of(pod, stopping=False)
        if pod and last and has_result(family.number, last[0]):
            return _ended(family, *last, started_at=pod.trainer.started_at)
        return _pending(family, waits.released() if job.released else waits.queued())
    if pod is None:
        assert job is not None, "a family has a Job or a pod"
        return _without_pod(family, job, now)
    end = exits.exit_of(pod, stopping=family.stopping)
    if end is None and (_lost(pod, now) or _outlived(job, now)):
        end = exits.unseen(pod, pod.due_at or (job.over_at if job else None))
    if end is not None:
        if job is not None and lives and job.resumed and pod.deleted_at is not None:
            return _pending(family, waits.another_pod(end[1]))
        return _ended(family, *end, started_at=pod.trainer.started_at)
    if not pod.trainer.running:
        return _pending(family, waits.of_pod(pod))
    return Run(
        number=family.number,
        attempt=family.attempt,
        uid=family.uid,
        state=RunState.RUNNING,
        stopping=family.stopping,
        started_at=pod.trainer.started_at or pod.started_at or pod.created_at,
    )


def has_result(number: int, end: Exit | None) -> bool:
    """Whether a trial came to its result, whatever became of its place."""
    return end is not None and bool(end.message) and decided(end, parse(end.message, number))


def leaves(family: Family, run: Run) -> bool:
    """Whether its pod may say its last word at any moment: it is stopped, or its place is taken."""
    taken = family.job is not None and family.job.suspended and bool(family.pods)
    return run.state is not RunState.ENDED and (run.stopping or taken)


def unsettled(family: Family, run: Run) -> bool:
    """Whether time alone may end this run: nobody will say more of it."""
    if run.state is RunState.ENDED:
        return False
    over = family.job is not None and bool(family.job.over)
    return over or any(pod.due_at is not None for pod in family.pods)


def vanished(run: Run, now: float) -> Run:
    """A run whose Job and pods somebody has deleted, as it was last seen."""
    end = run.exit or Exit(code=None, disrupted=True)
    return Run(
        number=run.number,
        attempt=run.attempt,
        uid=run.uid,
        state=RunState.ENDED,
        stopping=run.stopping,
        started_at=run.started_at,
        ended_at=now if run.ended_at is None else run.ended_at,
        exit=end,
    )


def _without_pod(family: Family, job: JobSeen, now: float) -> Run:
    if _outlived(job, now):
        return _ended(family, *exits.of_job(job))
    if job.deleted_at is not None:
        return _ended(family, Exit(code=None, disrupted=True), job.deleted_at)
    return _pending(family, waits.of_job(job))


def _pending(family: Family, wait: waits.Wait) -> Run:
    return Run(
        number=family.number,
        attempt=family.attempt,
        uid=family.uid,
        state=RunState.PENDING,
        stopping=family.stopping,
        waiting=wait.words,
        stuck=wait.stuck,
        stuck_since=wait.since,
        starting=wait.starting,
    )


def _ended(
    family: Family, end: Exit, ended_at: float | None, *, started_at: float | None = None
) -> Run:
    return Run(
        number=family.number,
        attempt=family.attempt,
        uid=family.uid,
        state=RunState.ENDED,
        stopping=family.stopping,
        started_at=started_at,
        ended_at=ended_at,
        exit=end,
    )


def _lost(pod: PodSeen, now: float) -> bool:
    return pod.due_at is not None and now > pod.due_at + LOST_SECONDS


def _outlived(job: JobSeen | None, now: float) -> bool:
    return job is not None and bool(job.over) and now >= (job.over_at or 0.0) + SETTLE_SECONDS
