"""Metrics that trials do not report themselves: a study's own PromQL, bound to its namespace."""

import logging
import math
from asyncio import gather
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kubetune.adapters.prometheus.belonging import TRIAL, Belonging, tells_whose
from kubetune.adapters.prometheus.client import PrometheusClient, QueryRefused, Series
from kubetune.api.promql import PromqlFault, selects_only, within_namespace
from kubetune.domain.observation import Reading
from kubetune.domain.ports import Clock
from kubetune.domain.runs import Run
from kubetune.domain.study import MetricQuery
from kubetune.domain.trial import Point

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Bound:
    """A query as it is sent. `plain`: it gives series as they are, so a NaN is the trial's own."""

    name: str
    promql: str
    plain: bool


class Queries:
    """A study's queries: each is asked once for all trials.

    A value counts at the trial's own newest step; without one, at the whole seconds since its
    start. It replaces what the trial reports under the same name: the manifest is believed before
    the trial. A computed value that is not finite is left out: 0/0 means that there is no data
    yet. What is wrong with a query is said in `messages`, and once in the log; it never stops the
    others.
    """

    def __init__(
        self,
        client: PrometheusClient,
        queries: Sequence[MetricQuery],
        belonging: Belonging,
        clock: Clock,
    ) -> None:
        self._client = client
        self._belonging = belonging
        self._clock = clock
        self._bound: list[_Bound] = []
        self._wrong: dict[str, str] = {}
        self._said: set[str] = set()
        for query in queries:
            try:
                text = within_namespace(query.promql, belonging.namespace)
                self._bound.append(_Bound(query.name, text, selects_only(query.promql)))
            except PromqlFault as fault:
                self._complain(query.name, str(fault))
        self._refused = frozenset(self._wrong)

    @property
    def messages(self) -> tuple[str, ...]:
        """One sentence for each query that brings nothing, and why."""
        return tuple(f"metrics.queries '{name}': {why}" for name, why in self._wrong.items())

    async def add(
        self, readings: Mapping[int, Reading], asked: Mapping[int, Run]
    ) -> dict[int, Reading]:
        """The readings with the queries' values in them: of ended runs, those at their end.

        Raises:
            PrometheusUnreachable: there is no answer.
        """
        moments: dict[float | None, list[Run]] = {}
        for run in asked.values() if self._bound else ():
            moments.setdefault(run.ended_at, []).append(run)
        filled = dict(readings)
        self._wrong = {name: why for name, why in self._wrong.items() if name in self._refused}
        for moment, values in zip(
            moments, await gather(*(self._at(*each) for each in moments.items())), strict=True
        ):
            now = self._clock.now() if moment is None else moment
            for number, found in values.items():
                filled[number] = _with(filled[number], found, asked[number], now)
        return filled

    async def _at(self, moment: float | None, runs: Sequence[Run]) -> dict[int, dict[str, float]]:
        """What the queries say of these runs at a moment."""
        found: dict[int, dict[str, float]] = {}
        answers = await gather(*(self._ask(query, moment) for query in self._bound))
        for query, series in zip(self._bound, answers, strict=True):
            for number, value in self._values(query, series, runs).items():
                found.setdefault(number, {})[query.name] = value
        return found

    async def _ask(self, query: _Bound, moment: float | None) -> Sequence[Series]:
        """One answer; an empty one when the query is refused."""
        try:
            return await self._client.query(query.promql, moment)
        except QueryRefused as refused:
            self._complain(query.name, str(refused))
            return ()

    def _values(
        self, query: _Bound, series: Sequence[Series], runs: Sequence[Run]
    ) -> dict[int, float]:
        """One value for each trial that one of the series belongs to.

        Several series of one trial are no value: which one is meant cannot be known.
        """
        job_name = self._belonging.job_name
        asked = {run.number: run for run in runs}
        jobs = {job_name(run.number, run.attempt): run for run in runs}
        found: dict[int, list[float]] = {}
        for one in series:
            if not tells_whose(one.labels):
                self._complain(
                    query.name,
                    "a result without the label pod or kubetune_io_trial belongs to no trial:"
                    " keep it, as in avg by (pod) (...)",
                )
                continue
            if TRIAL in one.labels:
                run = self._belonging.own(one.labels, asked)
            else:
                run = self._belonging.by_pod(one.labels, jobs)
            if run is not None and (query.plain or math.isfinite(one.value)):
                found.setdefault(run.number, []).append(one.value)
        many = sorted(number for number, values in found.items() if len(values) > 1)
        if many:
            self._complain(
                query.name,
                f"{len(found[many[0]])} series for trial {many[0]}: make it one,"
                " as in avg by (pod) (...)",
            )
        return {number: values[0] for number, values in found.items() if len(values) == 1}

    def _complain(self, name: str, why: str) -> None:
        self._wrong[name] = why
        if name not in self._said:
            self._said.add(name)
            log.warning("metrics.queries '%s': %s", name, why)


def _with(reading: Reading, values: Mapping[str, float], run: Run, now: float) -> Reading:
    """The values at the newest step, in the place of what was reported under their names."""
    kept = [
        Point(
            point.step, {name: value for name, value in point.metrics.items() if name not in values}
        )
        for point in reading.points
    ]
    if kept:
        newest = kept.pop()
        kept.append(Point(newest.step, {**newest.metrics, **values}))
    elif run.started_at is not None:
        kept = [Point(float(max(0, int(now - run.started_at))), dict(values))]
    return replace(reading, points=tuple(point for point in kept if point.metrics))
