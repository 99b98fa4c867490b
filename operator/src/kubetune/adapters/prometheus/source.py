"""Live values of one study's trials, as Prometheus has them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from operator import attrgetter

from kubetune.adapters.prometheus.belonging import Belonging, JobName
from kubetune.adapters.prometheus.client import Series
from kubetune.adapters.prometheus.poller import Poller, Want
from kubetune.adapters.prometheus.queries import Queries
from kubetune.domain.observation import Reading
from kubetune.domain.ports import Clock
from kubetune.domain.runs import Run, RunState
from kubetune.domain.samples import Sample, reading_of
from kubetune.domain.study import MetricQuery

LAG_SECONDS = 15.0
"""How long the last scrape of a pod that has ended may take to be found by a query."""


class PrometheusSource:
    """The MetricSource port over one study.

    Without an answer it raises: the study then knows that nothing is known. Whatever a trial shows
    never raises.

    Raises:
        ValueError: uid or namespace are not what Kubernetes makes.
    """

    lag_seconds = LAG_SECONDS

    def __init__(
        self,
        poller: Poller,
        *,
        study_uid: str,
        namespace: str,
        job_name: JobName,
        clock: Clock,
        queries: Sequence[MetricQuery] = (),
    ) -> None:
        self._poller = poller
        self._belonging = Belonging(study_uid=study_uid, namespace=namespace, job_name=job_name)
        self._nothing = Want(study_uid=study_uid, namespace=namespace)
        self._queries = Queries(poller.client, queries, self._belonging, clock)

    @property
    def messages(self) -> tuple[str, ...]:
        """What is wrong with the study's own queries, one sentence each; for its status."""
        return self._queries.messages

    async def read(self, runs: Sequence[Run]) -> Mapping[int, Reading]:
        """What trials show now, ended ones what they showed last.

        Raises:
            PrometheusUnreachable: there is no answer.
        """
        started = (run for run in runs if run.state is not RunState.PENDING)
        asked = {run.number: run for run in sorted(started, key=attrgetter("attempt"))}
        if not asked:
            return {}
        ended = frozenset(run.number for run in asked.values() if run.state is RunState.ENDED)
        want = replace(self._nothing, running=frozenset(asked) - ended, ended=ended)
        series = await self._poller.read(want)
        shown = {number: Reading() for number in asked} | self._readings(series, asked)
        return await self._queries.add(shown, asked)

    def _readings(self, series: Iterable[Series], asked: Mapping[int, Run]) -> dict[int, Reading]:
        """One reading for each run that any of the series belongs to."""
        ports: dict[int, dict[tuple[str, str], list[Sample]]] = {}
        for one in series:
            run = self._belonging.own(one.labels, asked)
            if run is None:
                continue
            name, metric = one.labels.get("__name__", ""), one.labels.get("name", "")
            sample = Sample(name, metric, one.value)
            ports.setdefault(run.number, {}).setdefault(_port(one.labels), []).append(sample)
        return {number: _furthest(found) for number, found in ports.items()}


def _port(labels: Mapping[str, str]) -> tuple[str, str]:
    """What tells one scraped port from another."""
    return labels.get("job", ""), labels.get("instance", "")


def _furthest(ports: Mapping[tuple[str, str], Sequence[Sample]]) -> Reading:
    """The reading of the one port that is at the greatest step; values of two are never mixed.

    A trial is on two ports when two scrapes find it or a second container copies it. Of equals the
    first by its labels counts, so that the choice holds.
    """
    in_order = attrgetter("name", "metric")
    readings = [reading_of(sorted(ports[port], key=in_order)) for port in sorted(ports)]
    return max(readings, key=lambda one: one.points[-1].step if one.points else -1.0)
