"""A study's trials as a real Prometheus shows them."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from uuid import uuid4

import pytest

from kubetune.adapters.prometheus.client import PrometheusClient, PrometheusUnreachable
from kubetune.adapters.prometheus.poller import Poller
from kubetune.adapters.prometheus.source import PrometheusSource
from kubetune.app.clock import SystemClock
from kubetune.app.readings import Readings
from kubetune.domain.observation import Reading
from kubetune.domain.study import MetricQuery
from kubetune.domain.trial import Point
from tests.builders import make_exit, make_run
from tests.integration.prometheus.server import Prometheus, Shown, prometheus, until

EMPTY = Reading()


def job(number: int, attempt: int) -> str:
    return f"study-abc123-{number}" + (f"-{attempt}" if attempt > 1 else "")


class World:
    """One study of a server, in a namespace of its own, and what is scraped beside it."""

    def __init__(self, server: Prometheus) -> None:
        self.server = server
        self.uid, self.other = str(uuid4()), str(uuid4())
        self.namespace = f"team-{self.uid[:8]}"
        self.poller = Poller(PrometheusClient(server.url), window_seconds=0.01)
        self.shown: list[Shown] = []

    def source(self, uid: str = "", **queries: str) -> PrometheusSource:
        return PrometheusSource(
            self.poller,
            study_uid=uid or self.uid,
            namespace=self.namespace,
            job_name=job,
            clock=SystemClock(),
            queries=[MetricQuery(name=name, promql=promql) for name, promql in queries.items()],
        )

    def trial(self, number: int, attempt: int = 1, uid: str = "", **labels: str) -> Shown:
        shown = Shown()
        self.shown.append(shown)
        pod = f"{job(number, attempt)}-x{len(self.shown):04}"
        known = {
            "kubetune_io_study_uid": uid or self.uid,
            "kubetune_io_trial": str(number),
            "kubetune_io_attempt": str(attempt),
            "namespace": self.namespace,
            "pod": pod,
        }
        self.server.scrape(shown.address, **(known | labels))
        return shown

    def exporter(self, **labels: str) -> Shown:
        shown = Shown()
        self.shown.append(shown)
        self.server.scrape(shown.address, **labels)
        return shown

    async def close(self) -> None:
        await self.poller.close()
        for shown in self.shown:
            self.server.forget(shown.address)
            shown.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with prometheus(tmp_path_factory.mktemp("prometheus")) as server:
        yield server


@pytest.fixture
async def world(server: Prometheus) -> AsyncIterator[World]:
    world = World(server)
    yield world
    await world.close()


async def test_points_and_progress_are_read(world: World) -> None:
    """Each metric is a point at the step that it names; progress comes beside it."""
    shown = world.trial(3)
    shown.report(4, 0.5, loss=0.25)
    shown.set("kubetune_trial_metric", 0.9, name="accuracy")
    shown.set("kubetune_trial_metric_step", 2, name="accuracy")
    source, run = world.source(), make_run(3)
    expected = Reading((Point(2.0, {"accuracy": 0.9}), Point(4.0, {"loss": 0.25})), 0.5)

    async def read() -> bool:
        return await source.read([run]) == {3: expected}

    await until(read)


async def test_series_of_others_are_not_seen(world: World) -> None:
    """Another study's, another namespace's and an earlier attempt's series are nobody's.

    Labels that a trial itself shows are renamed by the scrape, and so name no trial.
    """
    world.trial(0, uid=world.other).report(1, loss=1.0)
    world.trial(1, namespace="stranger").report(1, loss=1.0)
    world.trial(2, attempt=1).report(9, loss=1.0)
    liar = world.trial(5)
    liar.set("kubetune_trial_step", 1)
    liar.set("kubetune_trial_metric", 1.0, name="loss", kubetune_io_trial="6")
    runs = [make_run(0), make_run(1), make_run(2, attempt=2), make_run(6), make_run(5)]
    source = world.source()

    async def read() -> bool:
        return (await source.read(runs))[5] != EMPTY

    await until(read)
    readings = await source.read(runs)
    assert [readings[number] for number in (0, 1, 2, 6)] == [EMPTY] * 4
    assert readings[5].points == (Point(1.0, {"loss": 1.0}),)


async def test_last_values_of_an_ended_trial_are_found(world: World) -> None:
    """A pod's series go stale at its end; what they showed last is still an answer then."""
    shown = world.trial(0)
    shown.report(7, 1.0, loss=0.5)
    running, ended = make_run(0), make_run(0, exit=make_exit())
    other = world.trial(1)
    other.report(2, loss=0.75)
    source = world.source()

    async def both() -> bool:
        readings = await source.read([running, make_run(1)])
        return all(reading != EMPTY for reading in readings.values())

    async def stale() -> bool:
        return (await source.read([running]))[0] == EMPTY

    await until(both)
    world.server.forget(shown.address)
    await until(stale)
    readings = await source.read([ended, make_run(1)])
    assert readings[0] == Reading((Point(7.0, {"loss": 0.5}),), 1.0)
    assert readings[1].points == (Point(2.0, {"loss": 0.75}),)


async def test_the_port_that_is_furthest_counts(world: World) -> None:
    """Of two ports that show one trial the one at the greater step is read, alone."""
    world.trial(0).report(1, loss=0.9, early=1.0)
    world.trial(0).report(2, loss=0.8)
    source = world.source()

    async def read() -> bool:
        return (await source.read([make_run(0)]))[0].points == (Point(2.0, {"loss": 0.8}),)

    await until(read)


async def test_a_flood_of_one_trial_spares_the_others(world: World) -> None:
    """A trial that shows thousands of series, long names and labels takes nothing from others."""
    flood = world.trial(0)
    for index in range(3000):
        flood.set("kubetune_trial_metric", index, name=f"m{index}", more="x" * 900)
    world.trial(1).report(1, loss=0.5)
    poller = Poller(PrometheusClient(world.server.url, body_limit=2**17), window_seconds=0.01)
    world.poller.client, spare = poller.client, world.poller.client
    source = world.source()

    async def read() -> bool:
        return (await source.read([make_run(0), make_run(1)]))[1].points == (
            Point(1.0, {"loss": 0.5}),
        )

    try:
        await until(read)
    finally:
        await poller.client.close()
        world.poller.client = spare


async def test_many_studies_share_a_question(world: World) -> None:
    """Studies that ask within a window get their own trials from one answer."""
    world.trial(0).report(1, loss=0.5)
    world.trial(0, uid=world.other).report(1, loss=0.75)
    sources = [world.source(), world.source(world.other)]

    async def losses() -> list[float]:
        found = await asyncio.gather(*(source.read([make_run(0)]) for source in sources))
        return [one[0].points[0].metrics["loss"] for one in found if one[0].points]

    async def both() -> bool:
        return await losses() == [0.5, 0.75]

    await until(both)


async def test_queries_bring_metrics_of_trials_that_report_nothing(world: World) -> None:
    """A series is a trial's by its own labels or by a pod's name; its step are whole seconds.

    Series of another namespace are outside, whatever the query says.
    """
    mine = world.exporter(namespace=world.namespace, node="a")
    mine.set("gpu_use", 0.5, exported_pod="study-abc123-0-abcde")
    mine.set("queue", 3.0, exported_pod="nobody")
    theirs = world.exporter(namespace="other", pod="study-abc123-0-abcde")
    theirs.set("gpu_use", 99.0, gpu="0")
    world.trial(1).set("my_loss", 0.125)
    source = world.source(
        use='max by (pod, exported_pod) (gpu_use{namespace=~".*"})',
        own="my_loss / 1",
        broken='my_loss * on (namespace) {__name__=~"gpu_use|queue"}',
        all="sum(my_loss)",
    )
    now = SystemClock().now()
    runs = [make_run(0, started_at=now - 100.5), make_run(1, started_at=now)]

    async def read() -> bool:
        readings = await source.read(runs)
        return all(readings[number].points for number in (0, 1))

    await until(read)
    readings = await source.read(runs)
    (point,) = readings[0].points
    assert point.metrics == {"use": 0.5}
    assert point.step >= 100
    assert point.step == int(point.step)
    assert readings[1].points[0].metrics == {"own": 0.125}
    assert any("'broken'" in text and "execution" in text for text in source.messages)
    assert any("'all'" in text and "by (pod)" in text for text in source.messages)


async def test_a_query_of_an_ended_trial_is_asked_for_its_end(world: World) -> None:
    """A container that knows nothing of the study is judged by what it showed when it ended."""
    shown = world.trial(0)
    shown.set("my_loss", 0.25)
    source = world.source(loss="my_loss")
    run = make_run(0, started_at=SystemClock().now())

    async def seen() -> bool:
        return bool((await source.read([run]))[0].points)

    async def gone() -> bool:
        return not (await source.read([run]))[0].points

    await until(seen)
    ended = make_run(0, exit=make_exit(), ended_at=SystemClock().now(), started_at=run.started_at)
    world.server.forget(shown.address)
    await until(gone)
    readings = await source.read([ended])
    assert [point.metrics for point in readings[0].points] == [{"loss": 0.25}]


async def test_a_server_that_goes_and_comes_back(world: World) -> None:
    """While it is down the study knows that nothing is known; when it is back, values come."""
    world.trial(0).report(1, loss=0.5)
    clock = SystemClock()
    readings = Readings(world.source(), clock)

    async def ask() -> None:
        readings.refresh([make_run(0)], 0.0)
        assert readings.task is not None
        await readings.task

    async def read() -> bool:
        await ask()
        return readings.reachable and bool(readings.latest[0].points)

    await until(read)
    world.server.stop()
    await ask()
    assert not readings.reachable
    with pytest.raises(PrometheusUnreachable):
        await world.source().read([make_run(0)])
    world.server.start()
    await until(read)
