"""Jobs and pods as Kopf's indices hold them."""

from collections.abc import Iterable

import kopf

from kubetune.adapters.kubernetes.seen import JobSeen, PodSeen


class IndexView:
    """A ClusterView over two indices by study uid; always as new as the last watch event."""

    def __init__(self, jobs: kopf.Index[str, JobSeen], pods: kopf.Index[str, PodSeen]) -> None:
        self._jobs = jobs
        self._pods = pods

    def jobs(self, study_uid: str) -> Iterable[JobSeen]:
        """The Jobs of a study."""
        return self._jobs.get(study_uid, ())

    def pods(self, study_uid: str) -> Iterable[PodSeen]:
        """The pods of a study."""
        return self._pods.get(study_uid, ())
