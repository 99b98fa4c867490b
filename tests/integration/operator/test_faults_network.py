"""An API server that refuses, is busy, does not answer, or is away: nothing is lost or doubled."""

from collections import Counter

import pytest

from kubetune.domain.reasons import TrialReason
from tests.cluster.faults import Answer, Cut, CutStream, Fault, Hold
from tests.integration.operator.stage import Study, below
from tests.integration.operator.stored import history_of
from tests.integration.operator.theatre import Theatre

pytestmark = pytest.mark.timeout(300)

JOBS = r"/jobs$"
WATCH = "watch=true"

CONFLICT = Answer(409, reason="Conflict")
INVALID = Answer(422, reason="Invalid")
BUSY = Answer(429, reason="TooManyRequests", headers=(("Retry-After", "1"),))
BROKEN = Answer(500, reason="InternalError")
FORBIDDEN = Answer(403, 'User "operator" cannot create resource "jobs"', "Forbidden")
AWAY = Answer(503, reason="ServiceUnavailable")
UNANSWERED = Cut(carried_out=True)

TROUBLES: dict[tuple[str, str], tuple[Fault, ...]] = {
    ("POST", r"/jobs\?dryRun"): (BROKEN,),
    ("POST", JOBS): (CONFLICT, FORBIDDEN, BUSY, BROKEN, Cut(), UNANSWERED, AWAY),
    ("DELETE", r"/jobs/"): (CONFLICT, INVALID, BUSY, BROKEN, Cut(), UNANSWERED),
    ("PATCH", r"/status"): (UNANSWERED, CONFLICT, BUSY, BROKEN, Cut()),
    ("POST", r"/events$"): (UNANSWERED, CONFLICT, BROKEN, INVALID),
    ("GET", r"/tuningstudies/"): (BROKEN, BUSY, Cut()),
}
"""What each kind of request meets, one after the other, with one that passes between any two."""


def counted(theatre: Theatre, study: Study) -> int:
    """How often the server was asked what there is of a study, past all watches."""
    asked = theatre.proxy.requests("GET", "/pods$")
    return sum(study.uid in seen.query.get("labelSelector", "") for seen in asked)


def created(theatre: Theatre) -> Counter[str]:
    """How often each Job was created, an answer to it or not."""
    made = (seen for seen in theatre.proxy.requests("POST", JOBS) if seen.status == 201)
    return Counter(seen.body["metadata"]["name"] for seen in made if not seen.query)


def test_every_request_meets_every_fault(theatre: Theatre) -> None:
    """Each is tried again until it is carried out, and what was carried out is not done twice."""
    rules = [
        theatre.proxy.add(fault, *kind, skip=place)
        for kind, faults in TROUBLES.items()
        for place, fault in enumerate(faults)
    ]
    study = theatre.study("troubled", trials={"max": 20, "parallelism": 4})
    study.finish()
    trials = 20
    while not all(rule.hits for rule in rules):
        trials += 10
        study.patch(trials={"max": trials, "parallelism": 4})
        study.until(lambda most=trials: study.counts.get("complete") == most, "more trials")
    study.finish()
    theatre.check(study, trials)
    assert set(created(theatre).values()) == {1}
    assert "Traceback" not in theatre.operator.log


def test_a_launch_that_is_not_answered_is_not_made_twice(theatre: Theatre) -> None:
    """The Job that is there is found, and taken for what it is."""
    rule = theatre.proxy.add(UNANSWERED, "POST", JOBS, count=3)
    study = theatre.study("unanswered", trials={"max": 4, "parallelism": 4})
    study.finish()
    assert rule.hits == 3
    theatre.check(study, 4)
    assert set(created(theatre).values()) == {1}


def test_a_job_that_is_refused_for_good_fails_its_trial(theatre: Theatre) -> None:
    """With the API server's words; the other trials go on, and no Job is made in its stead."""
    words = "the cluster does not like it"
    theatre.proxy.add(Answer(422, words, "Invalid"), "POST", JOBS)
    study = theatre.study("unwanted", trials={"max": 4, "parallelism": 1})
    study.finish()
    first, *others = history_of(theatre.operator.storage, study)
    assert first.outcome is not None
    assert first.outcome.reason is TrialReason.LAUNCH_FAILED
    assert words in first.outcome.message
    assert [trial.value for trial in others] == [trial.parameters["x"] for trial in others]
    assert sorted(theatre.play.ended_of(study.uid)) == [(1, 1), (2, 1), (3, 1)]


def test_watches_that_are_cut_again_and_again(theatre: Theatre) -> None:
    """Each goes on where it was cut, or begins anew."""
    theatre.operator.stop()
    rules = [
        theatre.proxy.add(CutStream(after_bytes=4000), "GET", f"/{kind}?.*{WATCH}", count=12)
        for kind in ("tuningstudies", "jobs", "pods")
    ]
    theatre.operator.start()
    study = theatre.study("cut", trials={"max": 12, "parallelism": 3})
    study.finish()
    assert all(rule.hits > 2 for rule in rules)
    theatre.check(study, 12)


def test_watches_that_stay_silent(theatre: Theatre) -> None:
    """What was launched counts as launched; results wait until something is seen of them."""
    theatre.operator.stop()
    holds = [Hold(), Hold()]
    for hold, kind in zip(holds, ("jobs", "pods"), strict=True):
        theatre.proxy.add(hold, "GET", f"/{kind}?.*{WATCH}", count=None)
    theatre.operator.start()
    study = theatre.study("silent", trials={"max": 6, "parallelism": 2})
    study.until(lambda: len(theatre.play.ended_of(study.uid)) == 2, "two trials to end unseen")
    study.until(lambda: counted(theatre, study), "a look past the watches")
    assert len(study.jobs) == 2
    assert study.counts["active"] == 2
    theatre.proxy.clear()
    for hold in holds:
        hold.release()
    study.finish()
    theatre.check(study, 6)


def test_an_api_server_that_crashes_and_begins_anew(theatre: Theatre) -> None:
    """While trials run, start and end: all goes on by itself."""
    theatre.play.script = below(4)
    study = theatre.study("restarted", trials={"max": 10, "parallelism": 3})
    study.until(lambda: study.running == [4, 5, 6], "the first four to end")
    theatre.play.script = below(10)
    theatre.plane.restart_apiserver(grace_seconds=0)
    study.finish()
    assert theatre.operator.healthy()
    theatre.check(study, 10)
