"""Studies share questions, and no study's failure or impatience is another's."""

import asyncio
from collections.abc import AsyncIterator

import promql_parser
import pytest

from kubetune.adapters.prometheus.client import PrometheusClient, PrometheusUnreachable
from kubetune.adapters.prometheus.poller import TRIAL_LIMIT, Poller, Want, question
from tests.unit.adapters.prometheus.answers import (
    FakePrometheus,
    answering,
    element,
    http,
    vector,
)


@pytest.fixture
async def server() -> AsyncIterator[FakePrometheus]:
    async with answering() as fake:
        yield fake


@pytest.fixture
async def poller(server: FakePrometheus) -> AsyncIterator[Poller]:
    poller = Poller(PrometheusClient(server.url), window_seconds=0.01)
    yield poller
    await poller.close()


def want(uid: str = "u-1", *running: int, ended: tuple[int, ...] = ()) -> Want:
    return Want(
        study_uid=uid,
        namespace="team",
        running=frozenset(running or (0,)),
        ended=frozenset(ended),
    )


async def test_one_window_is_one_question(server: FakePrometheus, poller: Poller) -> None:
    """Whoever asks within the window gets the part of its own study from one answer."""
    server.answer = http(
        vector(*(element("1", kubetune_io_study_uid=uid) for uid in ("u-1", "u-2", "u-1")))
    )
    found = await asyncio.gather(*(poller.read(want(f"u-{n}")) for n in (1, 2, 3)))
    assert [len(series) for series in found] == [2, 1, 0]
    assert len(server.asked) == 1
    await poller.read(want())
    assert len(server.asked) == 2


async def test_a_large_crowd_is_asked_in_portions(server: FakePrometheus, poller: Poller) -> None:
    """No answer is about more trials than fit its bound, but for one study's own."""
    half = TRIAL_LIMIT // 2 + 1
    await asyncio.gather(*(poller.read(want(f"u-{n}", *range(half))) for n in range(3)))
    assert len(server.asked) == 3


async def test_a_failure_is_everybodys(server: FakePrometheus, poller: Poller) -> None:
    """All who shared a question learn that there is no answer; the next question is a new one."""
    server.answer = http(b"", "500 Oops")
    found = await asyncio.gather(
        *(poller.read(want(f"u-{n}")) for n in (1, 2)), return_exceptions=True
    )
    assert [type(one) for one in found] == [PrometheusUnreachable] * 2
    server.answer = http(vector())
    assert list(await poller.read(want())) == []


async def test_the_log_says_once_that_nothing_is_known(
    server: FakePrometheus, poller: Poller, caplog: pytest.LogCaptureFixture
) -> None:
    """Once for all studies and questions, and once that it is over."""
    caplog.set_level("INFO", "kubetune")
    server.answer = http(b"", "405 No")
    for _ in range(2):
        with pytest.raises(PrometheusUnreachable):
            await poller.read(want())
    why = "HTTP 405 without a JSON object: is it a Prometheus?"
    assert caplog.messages == [f"live metrics cannot be read, nothing is pruned: {why}"]
    server.answer = http(vector())
    await poller.read(want())
    await poller.read(want())
    assert caplog.messages[1:] == ["live metrics can be read again"]


async def test_who_goes_away_takes_nothing_along(server: FakePrometheus, poller: Poller) -> None:
    """A study that is stopped while it asks does not end the question of the others."""
    first = asyncio.create_task(poller.read(want("u-1")))
    second = asyncio.create_task(poller.read(want("u-2")))
    await asyncio.sleep(0)
    first.cancel()
    assert list(await second) == []


async def test_closing_forgets_questions(server: FakePrometheus, poller: Poller) -> None:
    """A question under way ends with the poller."""
    asking = asyncio.create_task(poller.read(want()))
    await asyncio.sleep(0)
    await poller.close()
    with pytest.raises(asyncio.CancelledError):
        await asking


@pytest.mark.parametrize(("uid", "namespace"), [('u"} or up{a="', "n"), ("u", "n|.*"), ("", "n")])
def test_only_names_go_into_a_question(uid: str, namespace: str) -> None:
    """A uid or namespace that Kubernetes would not make never reaches PromQL."""
    with pytest.raises(ValueError, match="neither"):
        Want(study_uid=uid, namespace=namespace)


def test_a_question_is_promql() -> None:
    """Running and ended trials are asked for in one query, which parses."""
    text = question([want("u-1", 1, 2, ended=(7,)), want("u-2", 3)])
    promql_parser.parse(text)
    assert 'kubetune_io_study_uid=~"u-1|u-2"' in text
    assert 'kubetune_io_trial=~"1|2|3"' in text
    assert 'kubetune_io_trial=~"7"' in text
    assert text.count("last_over_time") == 1
    ended = Want(study_uid="u", namespace="n", ended=frozenset({7}))
    promql_parser.parse(question([ended]))
