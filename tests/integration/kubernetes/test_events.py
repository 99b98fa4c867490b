"""Events about a study on a real API server."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

import pytest

from kubetune.adapters.kubernetes.announcing import BURST
from kubetune.adapters.kubernetes.api import Api
from kubetune.domain.events import Event
from kubetune.domain.reasons import EventReason
from tests.cluster.control_plane import ControlPlane
from tests.cluster.faults import Answer, Cut, Hold
from tests.cluster.proxy import Proxy, proxied
from tests.integration.kubernetes.resources import Shown, launched, make_status

EVENTS = "/events"
PAUSED = Event(EventReason.STUDY_SUSPENDED, "Suspended: nothing runs")


@pytest.fixture
def proxy(studies: ControlPlane) -> Iterator[Proxy]:
    with proxied(studies) as proxy:
        yield proxy


@pytest.fixture
async def api(proxy: Proxy) -> AsyncIterator[Api]:
    api = await Api.connect(kubeconfig=proxy.kubeconfig_for())
    yield api
    await api.close()


@pytest.fixture
def study(studies: ControlPlane, namespace: str) -> Shown:
    return Shown(studies, namespace)


def pruned(number: int) -> Event:
    return Event(EventReason.TRIAL_PRUNED, f"trial {number} Pruned at step 3: last of 9", number)


def failed(number: int) -> Event:
    text = f"trial {number} Failed, Crashed: exit code 1: no such file"
    return Event(EventReason.TRIAL_FAILED, text, number, warning=True)


def said(study: Shown) -> set[tuple[str, str, int]]:
    return {(event["type"], event["message"], event["count"]) for event in study.events}


async def announce(study: Shown, api: Api, *batches: Sequence[Event]) -> None:
    """Publishes each batch with another status, and waits until all is written."""
    sink = study.sink(api)
    for index, events in enumerate(batches):
        await sink.publish(make_status(index), events)
        assert await sink.flush(30.0)


async def test_one_trial_s_sentence_stands_as_it_is(study: Shown, api: Api) -> None:
    """A slow study's events are the engine's own sentences, about the study's resource."""
    await announce(study, api, [launched(1)], [failed(1)])
    assert said(study) == {
        ("Normal", "trial 1 launched: x=0.1", 1),
        ("Warning", "trial 1 Failed, Crashed: exit code 1: no such file", 1),
    }
    event = study.events[0]
    assert event["involvedObject"]["uid"] == study.reference.uid
    assert event["reason"] in {"TrialLaunched", "TrialFailed"}
    assert event["source"]["component"] == event["reportingComponent"] == "kubetune"


async def test_a_pass_s_events_of_one_reason_are_one(study: Shown, api: Api, proxy: Proxy) -> None:
    """64 launches and 64 prunings in one pass are two requests, which name the trials."""
    await announce(study, api, [*map(launched, range(64, 128)), *map(pruned, range(64))])
    messages = sorted(message for _, message, _ in said(study))
    assert [message[:31] for message in messages] == [
        "64 trials launched: 64-127. tri",
        "64 trials pruned: 0-63. trial 0",
    ]
    assert len(proxy.writes(EVENTS)) == 2


async def test_they_come_after_the_status_that_they_led_to(
    study: Shown, api: Api, proxy: Proxy
) -> None:
    """Nothing is announced that a reader would not find in the status yet."""
    hold = Hold()
    proxy.add(hold, "PATCH", "/status")
    sink = study.sink(api)
    await sink.publish(make_status(1), [launched(1)])
    await asyncio.to_thread(hold.arrived.wait)
    await sink.publish(make_status(2), [launched(2)])
    assert not proxy.requests("POST", EVENTS)
    hold.release()
    assert await sink.flush()
    order = [(seen.method, seen.path.rpartition("/")[2]) for seen in proxy.writes()]
    assert order[0] == ("PATCH", "status")
    assert order.index(("POST", "events")) > 0


async def test_an_event_without_a_new_status_is_told_as_well(study: Shown, api: Api) -> None:
    """A pass may bring news that the status does not show."""
    sink = study.sink(api)
    await sink.publish(make_status(1), ())
    await sink.flush()
    await sink.publish(make_status(1), [launched(1)])
    assert await sink.flush()
    assert len(study.events) == 1


async def test_the_same_words_later_are_counted_in_one_event(
    study: Shown, api: Api, proxy: Proxy
) -> None:
    """A study that is suspended again and again has one such event; its count goes on."""
    await announce(study, api, [PAUSED], [PAUSED], [PAUSED])
    assert said(study) == {("Normal", PAUSED.message, 3)}
    assert [seen.method for seen in proxy.requests(path=EVENTS)] == ["POST", "PATCH", "PATCH"]


async def test_another_operator_goes_on_counting(study: Shown, api: Api, proxy: Proxy) -> None:
    """An event that an earlier operator wrote is counted on, without the right to read events."""
    await announce(study, api, [PAUSED], [PAUSED])
    await announce(study, api, [PAUSED])
    assert said(study) == {("Normal", PAUSED.message, 3)}
    assert not proxy.requests("GET", EVENTS)


async def test_an_event_that_has_expired_is_written_anew(
    study: Shown, api: Api, studies: ControlPlane
) -> None:
    """Events live for an hour; the next of the same words begins at one again."""
    sink = study.sink(api)
    await sink.publish(make_status(1), [PAUSED])
    await sink.flush()
    studies.request("DELETE", f"/api/v1/namespaces/{study.namespace}/events")
    await sink.publish(make_status(2), [PAUSED])
    assert await sink.flush()
    assert said(study) == {("Normal", PAUSED.message, 1)}


async def test_a_busy_study_costs_well_under_one_event_a_trial(
    study: Shown, api: Api, proxy: Proxy
) -> None:
    """Once the burst is spent, what happens gathers; every trial is named all the same."""
    sink = study.sink(api, least_seconds=0.0)
    for number in range(200):
        await sink.publish(make_status(number), [launched(number), pruned(number)])
        await asyncio.sleep(0.02)
    assert len(proxy.writes(EVENTS)) <= BURST + 2
    assert await sink.flush()
    assert len(proxy.writes(EVENTS)) <= BURST + 4
    assert {event["reason"] for event in study.events} == {"TrialLaunched", "TrialPruned"}
    assert max(len(event["message"]) for event in study.events) <= 1024


async def test_the_end_of_a_study_is_told_at_once(study: Shown, api: Api, proxy: Proxy) -> None:
    """A turning point waits for no pace, and what led to it comes before it."""
    sink = study.sink(api, least_seconds=0.0)
    for number in range(BURST + 5):
        await sink.publish(make_status(number), [launched(number)])
        await asyncio.sleep(0.02)
    ended = Event(EventReason.STUDY_SUCCEEDED, "TrialsExhausted: 25 trials")
    await sink.publish(make_status(25, phase="Succeeded"), [ended])
    await asyncio.to_thread(
        study.until,
        lambda study: any(event["message"] == ended.message for event in study.events),
        "the end",
    )
    assert proxy.writes(EVENTS)[-1].body["reason"] == "StudySucceeded"
    assert proxy.writes(EVENTS)[-2].body["reason"] == "TrialLaunched"


@pytest.mark.parametrize(
    "fault",
    [Answer(429, "slowly", "TooManyRequests"), Answer(500), Cut(), Cut(carried_out=True)],
    ids=["429", "500", "cut", "cut after it was done"],
)
async def test_a_passing_failure_neither_loses_nor_doubles_one(
    study: Shown, api: Api, proxy: Proxy, fault: Answer | Cut
) -> None:
    """An event is tried again; one that was carried out without an answer is not counted twice."""
    proxy.add(fault, "POST", EVENTS)
    proxy.add(fault, "PATCH", EVENTS)
    await announce(study, api, [PAUSED], [PAUSED])
    assert said(study) == {("Normal", PAUSED.message, 2)}
    proxy.add(fault, "PATCH", EVENTS)
    await announce(study, api, [PAUSED])
    assert said(study) == {("Normal", PAUSED.message, 3)}


async def test_what_cannot_be_written_is_dropped(
    study: Shown, api: Api, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    """A few tries, a line in the log, and the next event; the status never waits for it."""
    rule = proxy.add(Answer(500), "POST", EVENTS, count=3)
    await announce(study, api, [launched(1)], [launched(2)])
    assert rule.hits == 3
    assert [message for _, message, _ in said(study)] == ["trial 2 launched: x=0.2"]
    (record,) = caplog.records
    assert "trial 1 launched" in record.message
    assert study.status["trials"]["complete"] == 1


async def test_what_is_forbidden_is_dropped_at_once(
    study: Shown, api: Api, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    """Where no event may be written, none is tried twice."""
    rule = proxy.add(Answer(403, "no events here", "Forbidden"), "POST", EVENTS, count=None)
    await announce(study, api, [launched(1)])
    assert rule.hits == 1
    assert "no events here" in caplog.text


async def test_describe_shows_what_happened(
    study: Shown, api: Api, proxy: Proxy, studies: ControlPlane
) -> None:
    """`kubectl describe` ends with the events, each a sentence, without control characters."""
    hostile = Event(EventReason.TRIAL_FAILED, "trial 3 Failed: \x1b[2Jgone\n", 3, warning=True)
    await announce(study, api, [launched(1)], [*map(launched, range(2, 10))], [hostile], [PAUSED])
    told = studies.kubectl("describe", "tstudy", study.name, "-n", study.namespace)
    lines = [" ".join(line.split()) for line in told.partition("Events:")[2].splitlines()]
    assert any(
        "Normal TrialLaunched" in line and "kubetune trial 1 launched" in line for line in lines
    )
    assert any("8 trials launched: 2-9. trial 2 launched: x=0.2; trial 3" in line for line in lines)
    assert any(
        "Warning TrialFailed" in line and "trial 3 Failed: [2Jgone" in line for line in lines
    )
