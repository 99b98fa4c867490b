"""A study's status on a real API server, over a good network and a bad one."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator

import pytest

from kubetune.adapters.kubernetes.api import Api
from kubetune.domain.reasons import StudyReason
from kubetune.domain.status import Condition, ConditionType, Truth
from kubetune.domain.trial import Point
from tests.builders import make_trial
from tests.cluster.control_plane import ControlPlane
from tests.cluster.faults import Answer, Call, Cut, Hold
from tests.cluster.proxy import Proxy, proxied
from tests.integration.kubernetes.resources import Shown, launched, make_status, transition

STATUS = "/status"


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


def complete(study: Shown) -> int:
    return int(study.status.get("trials", {}).get("complete", -1))


async def test_a_status_is_written_in_one_request(study: Shown, api: Api, proxy: Proxy) -> None:
    """Server-side apply by the field manager "kubetune"; no event, no write but that."""
    sink = study.sink(api)
    await sink.publish(make_status(1), ())
    assert await sink.flush()
    await sink.publish(make_status(2), ())
    assert await sink.flush()
    assert complete(study) == 2
    assert [seen.method for seen in proxy.writes()] == ["PATCH", "PATCH"]
    owners = [each for each in study.read()["metadata"]["managedFields"] if "subresource" in each]
    assert [(each["manager"], each["operation"]) for each in owners] == [("kubetune", "Apply")]


async def test_what_is_no_longer_said_is_gone(study: Shown, api: Api) -> None:
    """A status is written whole: a field that the newest has not does not stay from an older."""
    sink = study.sink(api)
    await sink.publish(make_status(active=(make_trial(3),)), ())
    await sink.flush()
    assert [trial["number"] for trial in study.status["active"]] == [3]
    await sink.publish(make_status(1), ())
    await sink.flush()
    assert not study.status.get("active")


async def test_many_statuses_become_few_writes_and_the_newest_wins(
    study: Shown, api: Api, proxy: Proxy
) -> None:
    """What changes while a write is under way is written once, as it is then."""
    hold = Hold()
    proxy.add(hold, "PATCH", STATUS)
    sink = study.sink(api)
    await sink.publish(make_status(0), ())
    await asyncio.to_thread(hold.arrived.wait)
    for done in range(1, 101):
        await sink.publish(make_status(done), ())
    hold.release()
    assert await sink.flush()
    assert complete(study) == 100
    assert len(proxy.writes()) == 2


async def test_publish_never_waits_for_the_api_server(study: Shown, api: Api, proxy: Proxy) -> None:
    """While no request is answered, a hundred publishes return; nothing is lost by it."""
    hold = Hold()
    proxy.add(hold, "GET|PATCH", study.name)
    sink = study.sink(api)
    for done in range(100):
        await sink.publish(make_status(done), [launched(done)])
    hold.release()
    assert await sink.flush()
    assert complete(study) == 99
    assert [event["message"][:25] for event in study.events] == ["100 trials launched: 0-99"]


async def test_the_same_status_is_not_written_again(study: Shown, api: Api, proxy: Proxy) -> None:
    """A pass that changed nothing costs nothing, nor does an operator that starts again."""
    sink = study.sink(api)
    for _ in range(3):
        await sink.publish(make_status(1), ())
        await sink.flush()
    again = study.sink(api, earlier=study.status)
    await again.publish(make_status(1), ())
    await again.flush()
    assert len(proxy.writes()) == 1
    await again.publish(make_status(2), ())
    await again.flush()
    assert complete(study) == 2


async def test_how_far_trials_are_is_written_with_what_matters(
    study: Shown, api: Api, proxy: Proxy
) -> None:
    """A new step alone waits; the next change, or a flush, brings it."""
    sink = study.sink(api, least_seconds=0.0)
    for step in range(5):
        curve = (Point(step, {"accuracy": 0.1 * step}),)
        await sink.publish(make_status(active=(make_trial(curve=curve),)), ())
        await asyncio.sleep(0.2)
    assert len(proxy.writes()) == 1
    await sink.publish(make_status(1, active=(make_trial(curve=curve),)), ())
    await asyncio.to_thread(study.until, lambda study: complete(study) == 1, "the status")
    assert study.status["active"][0]["step"] == 4
    assert len(proxy.writes()) == 2
    await sink.publish(make_status(1, active=(make_trial(),)), ())
    assert await sink.flush()
    assert "step" not in study.status["active"][0]


async def test_transition_times_stay_until_the_truth_changes(study: Shown, api: Api) -> None:
    """A condition keeps its time over writes and operators as long as its status is the same."""
    old = "2020-01-01T00:00:00Z"
    told = {"type": "Valid", "status": "True", "lastTransitionTime": old}
    sink = study.sink(api, earlier={"conditions": [told]})
    await sink.publish(make_status(1), ())
    await sink.flush()
    assert transition(study.status, ConditionType.VALID) == old
    broken = Condition(ConditionType.VALID, Truth.FALSE, StudyReason.INVALID_SPEC)
    await sink.publish(make_status(1, conditions=(broken,)), ())
    await sink.flush()
    assert transition(study.status, ConditionType.VALID) > old


async def test_the_generation_is_that_of_the_spec_followed(study: Shown, api: Api) -> None:
    """A status speaks of the spec that its engine follows, from the moment it is told so."""
    sink = study.sink(api, generation=3)
    await sink.publish(make_status(), ())
    await sink.flush()
    assert study.status["observedGeneration"] == 3
    sink.generation = 4
    await sink.publish(make_status(), ())
    await sink.flush()
    assert study.status["observedGeneration"] == 4


async def test_a_raw_status_goes_the_same_way(study: Shown, api: Api) -> None:
    """A study that no engine can follow is told so; `shown` is what the next one starts from."""
    sink = study.sink(api)
    sink.publish_raw({"observedGeneration": 1, "phase": "Invalid"})
    assert sink.shown == {"observedGeneration": 1, "phase": "Invalid"}
    assert await sink.flush()
    assert study.status["phase"] == "Invalid"


@pytest.mark.parametrize(
    "fault",
    [
        Answer(429, "slowly", "TooManyRequests", (("Retry-After", "1"),)),
        Answer(500, "broken", "InternalError"),
        Answer(503, "not yet", "ServiceUnavailable"),
        Answer(422, "no such field", "Invalid"),
        Cut(),
        Cut(carried_out=True),
    ],
    ids=["429", "500", "503", "422", "cut", "cut after it was done"],
)
async def test_a_failure_is_tried_again_with_the_newest(
    study: Shown, api: Api, proxy: Proxy, fault: Answer | Cut
) -> None:
    """A burst of failures delays a status and never loses the newest one."""
    rule = proxy.add(fault, "PATCH", STATUS, count=3)
    sink = study.sink(api)
    await sink.publish(make_status(1), [launched(1)])
    await asyncio.to_thread(lambda: study.until(lambda _: rule.hits == 1, "the first failure"))
    await sink.publish(make_status(2), [launched(2)])
    assert await sink.flush(30.0)
    assert complete(study) == 2
    assert rule.hits == 3
    (event,) = study.events
    assert event["message"].startswith("2 trials launched: 1-2. ")


async def test_it_outlives_a_restart_of_the_api_server(
    study: Shown, api: Api, studies: ControlPlane
) -> None:
    """What was published while the API server was away is written when it is back."""
    sink = study.sink(api)
    await sink.publish(make_status(1), ())
    await sink.flush()
    await asyncio.to_thread(studies.stop_component, "kube-apiserver")
    try:
        await sink.publish(make_status(2), [launched(1)])
        assert not await sink.flush(1.0)
        await sink.publish(make_status(3), [launched(2)])
    finally:
        await asyncio.to_thread(studies.start_component, "kube-apiserver")
    assert await sink.flush(60.0)
    assert complete(study) == 3
    assert len(study.events) == 1


async def test_a_deleted_study_ends_it_quietly(
    study: Shown, api: Api, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    """After 404 nothing is written any more, nothing announced and nothing logged."""
    sink = study.sink(api)
    await sink.publish(make_status(1), ())
    await sink.flush()
    study.delete()
    await sink.publish(make_status(2), [launched(1)])
    assert await sink.flush()
    assert sink.gone
    asked = len(proxy.seen)
    await sink.publish(make_status(3), [launched(2)])
    assert await sink.flush()
    assert len(proxy.seen) == asked
    assert not study.events
    assert [record for record in caplog.records if record.levelno > logging.DEBUG] == []


@pytest.mark.parametrize("written_before", [True, False])
async def test_another_study_of_the_same_name_is_not_touched(
    study: Shown, api: Api, *, written_before: bool
) -> None:
    """A study that was deleted and made anew has another uid: the old one's status is dropped."""
    sink = study.sink(api)
    if written_before:
        await sink.publish(make_status(1), ())
        await sink.flush()
    study.delete()
    study.make()
    await sink.publish(make_status(2), ())
    assert await sink.flush()
    assert sink.gone
    assert complete(study) == -1


async def test_a_study_made_anew_between_reading_and_writing_is_not_touched(
    study: Shown, api: Api, proxy: Proxy
) -> None:
    """The last moment before the write is covered as well."""

    def anew() -> None:
        study.delete()
        study.make()

    proxy.add(Call(anew), "PATCH", STATUS)
    sink = study.sink(api)
    await sink.publish(make_status(1), ())
    assert await sink.flush()
    assert sink.gone
    assert complete(study) == -1


async def test_changes_by_others_do_not_hold_it_up(
    study: Shown, api: Api, proxy: Proxy, studies: ControlPlane
) -> None:
    """Whoever else writes to the resource costs one more reading, no waiting, and loses nothing."""

    def label() -> None:
        studies.kubectl("label", "tstudy", study.name, "-n", study.namespace, "team=a")

    proxy.add(Call(label), "PATCH", STATUS)
    sink = study.sink(api)
    await sink.publish(make_status(1), ())
    assert await sink.flush()
    assert complete(study) == 1
    assert study.read()["metadata"]["labels"] == {"team": "a"}
    assert [seen.status for seen in proxy.requests(path=study.name)] == [200, 409, 200, 200]


async def test_a_missing_right_is_named(
    study: Shown, proxy: Proxy, caplog: pytest.LogCaptureFixture
) -> None:
    """What the operator may not do is logged once, with the right that it lacks."""
    api = await Api.connect(kubeconfig=proxy.kubeconfig_for("bob"))
    sink = study.sink(api)
    try:
        await sink.publish(make_status(1), ())
        assert not await sink.flush(1.0)
    finally:
        await sink.close()
        await api.close()
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "patch tuningstudies/status" in record.message


async def test_closing_ends_what_it_began(study: Shown, api: Api, proxy: Proxy) -> None:
    """After `close` nothing of it is left, even in the midst of a request."""
    hold = Hold()
    proxy.add(hold, "PATCH", STATUS)
    sink = study.sink(api)
    await sink.publish(make_status(1), [launched(1)])
    await asyncio.to_thread(hold.arrived.wait)
    await sink.close()
    assert not {task.get_name() for task in asyncio.all_tasks()} & {"status", "events"}
    hold.release()
