"""What an executor did that its view does not show yet, and what it showed that is gone since."""

from collections.abc import Iterable
from dataclasses import replace

from kubetune.adapters.kubernetes.job import StudyObject
from kubetune.adapters.kubernetes.runs import Family, families, run_of, unsettled, vanished
from kubetune.adapters.kubernetes.seen import JobSeen, PodSeen
from kubetune.domain.runs import Exit, Run, RunState

LATE_SECONDS = 60.0
"""So long a view may need to show what was done."""


class Memory:
    """The runs of one study: those in the view, with its lateness made up for.

    `runs` is by the Jobs' uids. Of a study's Jobs only those count that it owns and that stand in
    its namespace: labels anybody can write.
    """

    def __init__(self, study: StudyObject) -> None:
        self.runs: dict[str, Run] = {}
        self.unsettled = False
        self._study = study
        self._created: dict[str, tuple[JobSeen, float]] = {}
        self._removed: dict[str, float] = {}
        self._stopped: set[str] = set()
        self._gone: set[str] = set()
        self._refused: dict[str, Run] = {}

    def look(self, jobs: Iterable[JobSeen], pods: Iterable[PodSeen], now: float) -> tuple[Run, ...]:
        """Every run that has not been removed, in order of trials and attempts."""
        mine = {job.uid: job for job in jobs if self._owns(job)}
        theirs = [pod for pod in pods if pod.namespace == self._study.namespace]
        self._forget({*mine, *(pod.job_uid for pod in theirs)}, now)
        for uid, (job, _) in list(self._created.items()):
            if uid in mine:
                del self._created[uid]
            else:
                mine[uid] = job
        hidden = self._removed.keys() | self._gone
        found = families(
            [job for job in mine.values() if job.uid not in hidden],
            [pod for pod in theirs if pod.job_uid not in hidden],
        )
        self._take(found, now)
        return tuple(sorted(self.runs.values(), key=lambda run: (run.number, run.attempt)))

    def created(self, job: JobSeen, now: float) -> None:
        """A Job has been created."""
        self._created[job.uid] = job, now

    def refused(self, number: int, attempt: int, why: str, now: float) -> None:
        """A Job has not been created, and never will be: a run that has ended at once."""
        uid = f"refused-{number}-{attempt}"
        self._refused[uid] = Run(
            number=number,
            attempt=attempt,
            uid=uid,
            state=RunState.ENDED,
            ended_at=now,
            exit=Exit(code=None, launch_error=why),
        )

    def stopped(self, uid: str) -> None:
        """A Job was told to go, with its pod."""
        self._stopped.add(uid)
        if uid in self.runs:
            self.runs[uid] = replace(self.runs[uid], stopping=True)

    def gone(self, uid: str) -> None:
        """The server does not know a Job any more that the view still shows."""
        self._gone.add(uid)
        self._created.pop(uid, None)

    def removed(self, uid: str, now: float) -> None:
        """A run is not to be shown again, however long the view still has its Job or pods."""
        self.runs.pop(uid, None)
        if self._refused.pop(uid, None) is None:
            self._removed[uid] = now
        self._created.pop(uid, None)
        self._stopped.discard(uid)

    def is_refused(self, uid: str) -> bool:
        """Whether this run never had a Job."""
        return uid in self._refused

    def _owns(self, job: JobSeen) -> bool:
        return job.namespace == self._study.namespace and job.owner_uid == self._study.uid

    def _forget(self, seen: set[str], now: float) -> None:
        """Drops what the view has caught up with."""
        late = now - LATE_SECONDS
        self._created = {uid: each for uid, each in self._created.items() if each[1] > late}
        self._removed = {uid: at for uid, at in self._removed.items() if uid in seen or at > late}
        self._gone &= seen

    def _take(self, found: Iterable[Family], now: float) -> None:
        shown = self.runs
        self.runs, self.unsettled = dict(self._refused), False
        for family in found:
            run = run_of(family, now)
            if family.uid in self._stopped:
                run = replace(run, stopping=True)
            self.runs[family.uid] = run
            self.unsettled |= unsettled(family, run)
        for uid, run in shown.items():
            if uid not in self.runs and uid not in self._refused:
                self.runs[uid] = vanished(run, now)
