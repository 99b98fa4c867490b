"""Whose series is this: the run that labels name, or none. Nothing is guessed."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kubetune.domain.runs import Run

JobName = Callable[[int, int], str]
"""The name of the Job of a trial's number and attempt."""

STUDY_UID = "kubetune_io_study_uid"
TRIAL = "kubetune_io_trial"
ATTEMPT = "kubetune_io_attempt"
NAMESPACE = "namespace"
PODS = ("pod", "exported_pod")
"""Labels that name a pod: of the scraped one, and of one that an exporter speaks of."""

_NUMBER = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Belonging:
    """The rule for one study.

    The scrape puts the labels of study, trial, attempt, namespace and pod on a series. A trial
    that shows such labels itself has them renamed to `exported_...`, so it cannot speak for others.
    """

    study_uid: str
    namespace: str
    job_name: JobName

    def own(self, labels: Mapping[str, str], asked: Mapping[int, Run]) -> Run | None:
        """The run whose pod was scraped.

        None for what was not asked for, other studies' and namespaces' series, and those of an
        earlier attempt.
        """
        number = labels.get(TRIAL, "")
        run = asked.get(int(number)) if _NUMBER.fullmatch(number) else None
        if (
            run is None
            or labels.get(STUDY_UID) != self.study_uid
            or labels.get(NAMESPACE, self.namespace) != self.namespace
            or labels.get(ATTEMPT, str(run.attempt)) != str(run.attempt)
        ):
            return None
        pod = labels.get("pod")
        job = self.job_name(run.number, run.attempt)
        return run if pod is None or job_of(pod) == job else None

    def by_pod(self, labels: Mapping[str, str], jobs: Mapping[str, Run]) -> Run | None:
        """The run whose pod the series speaks of. `jobs` has the runs by their Jobs' names."""
        for name in PODS:
            run = jobs.get(job_of(labels.get(name, "")))
            if run is not None:
                return run
        return None


def tells_whose(labels: Mapping[str, str]) -> bool:
    """Whether a series says at all which pod or trial it is about."""
    return not labels.keys().isdisjoint({TRIAL, *PODS})


def job_of(pod: str) -> str:
    """The name of the Job whose pod this is: without the last part, which the cluster makes up."""
    return pod.rpartition("-")[0]
