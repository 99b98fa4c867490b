"""How long runs wait before they begin: in a queue, for a node, for their image."""

from collections.abc import Callable, Iterable, Sequence

from kubetune.adapters.kubernetes.seen import JobSeen
from kubetune.domain.runs import Run, RunState


class Beginnings:
    """Tells of each run that was seen to wait, once it begins, how many seconds that took.

    A run that had begun before anybody looked is not told of: another operator was. One that a
    queue took away and began again is told of once.
    """

    def __init__(self, told: Callable[[float], None]) -> None:
        self._told = told
        self._waiting: dict[str, float | None] = {}
        self._begun: set[str] = set()

    def created(self, job: JobSeen) -> None:
        """A Job has been created: its run waits from now on."""
        self._waiting[job.uid] = job.created_at

    def look(self, jobs: Iterable[JobSeen], runs: Sequence[Run]) -> None:
        """Takes the runs as they are, with the Jobs that they come from."""
        created = {job.uid: job.created_at for job in jobs}
        there = {run.uid for run in runs}
        self._begun &= there
        self._waiting = {uid: at for uid, at in self._waiting.items() if uid in there}
        for run in runs:
            if run.state is RunState.PENDING and run.uid not in self._begun:
                self._waiting.setdefault(run.uid, created.get(run.uid))
            elif run.started_at is not None and run.uid in self._waiting:
                self._begun.add(run.uid)
                since = self._waiting.pop(run.uid)
                if since is not None:
                    self._told(max(0.0, run.started_at - since))
