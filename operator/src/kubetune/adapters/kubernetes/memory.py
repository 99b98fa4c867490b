"""What an executor did that its view does not show yet, and what it showed that is gone since."""

from collections.abc import Iterable
from dataclasses import replace

from kubetune.adapters.kubernetes.job import StudyObject
from kubetune.adapters.kubernetes.names import is_pod_name
from kubetune.adapters.kubernetes.runs import (
    Family,
    families,
    has_result,
    leaves,
    run_of,
    unsettled,
    vanished,
)
from kubetune.adapters.kubernetes.seen import JobSeen, PodSeen
from kubetune.domain.runs import Exit, Run, RunState

LATE_SECONDS = 5.0
"""So long a view may need to show what was done before the server itself is asked."""

HIDDEN_SECONDS = 60.0
"""So long a removed run is remembered at least, should the view show it for the first time."""

CENSUS_SECONDS = 300.0
"""How often the server is asked while anything runs: a watch that begins anew misses deletions."""


class Memory:
    """The runs of one study: those in the view, with its lateness made up for.

    `runs` is by the Jobs' uids. `unsettled`: time alone may end one of them. `ending`: one is told
    to stop, or has lost its place: what its pod says last is in the view for a moment only. `known`
    are the uids of all Jobs and pods that count as existing. Of a study's Jobs only those count
    that it owns, that stand in its namespace and have the name that it gave them, and of pods only
    those that have name and labels of a Job that was once seen to be one of these: labels anybody
    can write, for whom a Job makes the pods too.
    """

    def __init__(self, study: StudyObject) -> None:
        self.runs: dict[str, Run] = {}
        self.unsettled = False
        self.ending = False
        self.known: frozenset[str] = frozenset()
        self._study = study
        self._created: dict[str, tuple[JobSeen, float]] = {}
        self._removed: dict[str, float] = {}
        self._stopped: set[str] = set()
        self._gone: set[str] = set()
        self._own: dict[str, JobSeen] = {}
        self._refused: dict[str, Run] = {}
        self._counted_at: float | None = None

    def look(self, jobs: Iterable[JobSeen], pods: Iterable[PodSeen], now: float) -> tuple[Run, ...]:
        """Every run that has not been removed, in order of trials and attempts."""
        study = self._study
        mine = {job.uid: job for job in jobs if job.is_of(study.namespace, study.name, study.uid)}
        self._own |= mine | {uid: job for uid, (job, _) in self._created.items()}
        theirs = [pod for pod in pods if self._believes(pod)]
        for uid in self._created.keys() & mine.keys():
            del self._created[uid]
        shown = {*mine, *(uid for pod in theirs for uid in (pod.uid, pod.job_uid))}
        self._forget(shown, now)
        mine |= {uid: job for uid, (job, _) in self._created.items()}
        self.known = frozenset({*mine, *(pod.uid for pod in theirs)}) - self._gone
        found = families(
            [job for job in mine.values() if not self._hides(job.uid)],
            [pod for pod in theirs if not self._hides(pod.uid, pod.job_uid)],
        )
        self._take(found, now)
        return tuple(sorted(self.runs.values(), key=lambda run: (run.number, run.attempt)))

    def has(self, number: int, attempt: int) -> bool:
        """Whether an attempt has a run, by the last look or by what was created since.

        The server knows of any younger one, and refuses a second.
        """
        shown = ((run.number, run.attempt) for run in self.runs.values())
        created = ((job.number, job.attempt) for job, _ in self._created.values())
        return (number, attempt) in {*shown, *created}

    def doubtful(self, now: float) -> bool:
        """Whether the server had better be asked what there is."""
        if self._counted_at is None:
            self._counted_at = now
        since = now - self._counted_at
        if any(now - at > LATE_SECONDS for _, at in self._created.values()):
            return since > LATE_SECONDS
        alive = any(run.state is not RunState.ENDED for run in self.runs.values())
        return alive and since > CENSUS_SECONDS

    def counted(self, known: frozenset[str], there: frozenset[str], now: float) -> None:
        """The server has been asked: of what was `known` before, it has only what is `there`."""
        self._counted_at = now
        for uid in known - there:
            self.gone(uid)

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
        self.ending = True
        if uid in self.runs:
            self.runs[uid] = replace(self.runs[uid], stopping=True)

    def gone(self, uid: str) -> None:
        """The server does not know a Job or pod any more that the view may still show."""
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

    def _believes(self, pod: PodSeen) -> bool:
        job = self._own.get(pod.job_uid)
        if job is None or pod.namespace != self._study.namespace:
            return False
        same = (pod.number, pod.attempt) == (job.number, job.attempt)
        return same and is_pod_name(pod.name, job.name)

    def _hides(self, uid: str, job_uid: str = "") -> bool:
        return uid in self._gone or uid in self._removed or job_uid in self._removed

    def _forget(self, shown: set[str], now: float) -> None:
        """Drops what the view has caught up with."""
        late = now - HIDDEN_SECONDS
        removed = self._removed.items()
        self._removed = {uid: at for uid, at in removed if uid in shown or at > late}
        self._gone &= shown
        kept = shown | self._created.keys() | self.runs.keys()
        self._own = {uid: job for uid, job in self._own.items() if uid in kept}

    def _take(self, found: Iterable[Family], now: float) -> None:
        shown = self.runs
        self.runs, self.unsettled, self.ending = dict(self._refused), False, False
        for family in found:
            run = run_of(family, now)
            if family.uid in self._stopped:
                run = replace(run, stopping=True)
            run = _with_its_result(shown.get(family.uid), run)
            self.runs[family.uid] = run
            self.unsettled |= unsettled(family, run)
            self.ending |= leaves(family, run)
        for uid, run in shown.items():
            if uid not in self.runs and uid not in self._refused:
                self.runs[uid] = vanished(run, now)


def _with_its_result(before: Run | None, run: Run) -> Run:
    """The run as it is shown now, or as it was when it had come to its result.

    A Job that waits for a place again shows nothing of the pod that had one.
    """
    ended = before is not None and has_result(before.number, before.exit)
    return before if ended and before and run.state is not RunState.ENDED else run
