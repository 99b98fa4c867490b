"""A study's own queries: at which step a value counts, and what is no value."""

import logging
import math
from collections.abc import AsyncIterator

import pytest

from kubetune.adapters.prometheus.belonging import Belonging
from kubetune.adapters.prometheus.client import PrometheusUnreachable
from kubetune.adapters.prometheus.queries import Queries
from kubetune.domain.observation import Reading
from kubetune.domain.study import MetricQuery
from kubetune.domain.trial import Point
from tests.builders import NOW, make_exit, make_run
from tests.fakes.clock import FakeClock
from tests.unit.adapters.prometheus.answers import (
    FakePrometheus,
    answering,
    element,
    http,
    vector,
)

EMPTY = {0: Reading()}


@pytest.fixture
async def server() -> AsyncIterator[FakePrometheus]:
    async with answering() as fake:
        yield fake


def queries(server: FakePrometheus, **given: str) -> Queries:
    return Queries(
        server.client,
        [MetricQuery(name=name, promql=text) for name, text in (given or {"use": "a / b"}).items()],
        Belonging(study_uid="u", namespace="team", job_name=lambda number, _: f"job-{number}"),
        FakeClock(),
    )


def of_pod(value: object, number: int = 0) -> dict[str, object]:
    return element(value, pod=f"job-{number}-abcde")


async def test_without_a_reported_step_seconds_count(server: FakePrometheus) -> None:
    """A container that reports nothing has whole seconds since its start as steps."""
    server.answer = http(vector(of_pod("2")))
    found = await queries(server).add(EMPTY, {0: make_run(0, started_at=NOW - 12.7)})
    assert found == {0: Reading((Point(12.0, {"use": 2.0}),))}
    assert server.asked[0]["query"] == 'a{namespace="team"} / b{namespace="team"}'


async def test_a_start_in_the_future_is_step_zero(server: FakePrometheus) -> None:
    """The pod's clock may be ahead; without any start there is no step and no point."""
    server.answer = http(vector(of_pod("2")))
    (point,) = (await queries(server).add(EMPTY, {0: make_run(0, started_at=NOW + 5)}))[0].points
    assert point.step == 0.0
    assert await queries(server).add(EMPTY, {0: make_run(0, started_at=None)}) == EMPTY


async def test_the_newest_reported_step_counts(server: FakePrometheus) -> None:
    """Values join the trial's newest point, and replace what it reports under their names."""
    server.answer = http(vector(of_pod("2")))
    shown = Reading((Point(1.0, {"use": 9.0}), Point(3.0, {"loss": 0.5, "use": 9.0})), 0.25)
    found = await queries(server).add({0: shown}, {0: make_run(0)})
    assert found == {0: Reading((Point(3.0, {"loss": 0.5, "use": 2.0}),), 0.25)}


async def test_each_trial_gets_its_own(server: FakePrometheus) -> None:
    """One question serves all trials; what belongs to none of them is left."""
    server.answer = http(vector(of_pod("1", 0), of_pod("2", 1), of_pod("3", 7)))
    shown = {0: Reading(), 1: Reading()}
    found = await queries(server).add(shown, {0: make_run(0), 1: make_run(1)})
    assert [found[n].points[0].metrics["use"] for n in (0, 1)] == [1.0, 2.0]
    assert len(server.asked) == 1


@pytest.mark.parametrize("value", ["NaN", "+Inf"])
async def test_a_computed_value_must_be_finite(server: FakePrometheus, value: str) -> None:
    """0/0 says that there is no data yet; a series itself that is NaN is the trial's own word."""
    server.answer = http(vector(of_pod(value)))
    assert await queries(server).add(EMPTY, {0: make_run(0)}) == EMPTY
    found = await queries(server, loss="(my_loss)").add(EMPTY, {0: make_run(0)})
    assert not math.isfinite(found[0].points[0].metrics["loss"])


async def test_two_values_are_none(server: FakePrometheus) -> None:
    """Of several series of one trial none is guessed; the message says what to write."""
    server.answer = http(vector(of_pod("1"), of_pod("2")))
    asked = queries(server)
    assert await asked.add(EMPTY, {0: make_run(0)}) == EMPTY
    assert asked.messages == (
        "metrics.queries 'use': 2 series for trial 0: make it one, as in avg by (pod) (...)",
    )
    server.answer = http(vector(of_pod("1")))
    await asked.add(EMPTY, {0: make_run(0)})
    assert asked.messages == ()


async def test_a_value_without_an_owner_is_warned_of_once(
    server: FakePrometheus, caplog: pytest.LogCaptureFixture
) -> None:
    """An aggregate over all pods is refused visibly, and does not fill the log."""
    server.answer = http(vector(element("1")))
    asked = queries(server)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            assert await asked.add(EMPTY, {0: make_run(0)}) == EMPTY
    assert len(caplog.records) == 1
    assert "belongs to no trial" in asked.messages[0]


async def test_a_refused_query_leaves_the_others(server: FakePrometheus) -> None:
    """What cannot be bound to the namespace is not sent, what the server refuses brings nothing."""
    body = b'{"status":"error","errorType":"execution","error":"many-to-many"}'
    server.answer = http(body, "422 Unprocessable Entity")
    asked = queries(server, bad="up{", worse="a * b")
    assert await asked.add(EMPTY, {0: make_run(0)}) == EMPTY
    assert len(server.asked) == 1
    assert [text.split("'")[1] for text in asked.messages] == ["bad", "worse"]


async def test_no_answer_is_raised(server: FakePrometheus) -> None:
    """A dead server is the study's to know."""
    server.answer = http(b"", "500 Oops")
    with pytest.raises(PrometheusUnreachable):
        await queries(server, one="a", two="b").add(EMPTY, {0: make_run(0)})


async def test_an_ended_run_is_asked_for_its_end(server: FakePrometheus) -> None:
    """Its series are gone now; at its end they were there."""
    server.answer = http(vector(of_pod("2")))
    run = make_run(0, exit=make_exit(), started_at=NOW - 30, ended_at=NOW - 10)
    found = await queries(server).add(EMPTY, {0: run})
    assert found[0].points == (Point(20.0, {"use": 2.0}),)
    assert server.asked[0]["time"] == f"{NOW - 10:.3f}"
