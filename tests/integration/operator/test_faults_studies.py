"""People who delete, change and take away while trials run: nothing is lost or doubled."""

from collections.abc import Mapping
from typing import Any

import pytest

from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import TrialState
from tests.cluster.requests import Refused
from tests.integration.operator.stage import Study, below
from tests.integration.operator.stored import history_of
from tests.integration.operator.theatre import Theatre

pytestmark = pytest.mark.timeout(300)


def owner(found: Mapping[str, Any]) -> str:
    """The uid of what owns an object; no words without an owner."""
    return next((each["uid"] for each in found["metadata"].get("ownerReferences", ())), "")


def followed(study: Study) -> None:
    """Waits until the status speaks of the newest spec."""

    def up_to_date() -> bool:
        found = study.resource
        return found["status"]["observedGeneration"] == found["metadata"]["generation"]

    study.until(up_to_date, "the new spec to be followed")


def gone(study: Study) -> bool:
    """Whether the study itself is not there any more, or another of its name is."""
    try:
        return study.resource["metadata"]["uid"] != study.uid
    except Refused as refused:
        if refused.status == 404:
            return True
        raise


def until_cancelled(theatre: Theatre, study: Study, *, ended: int, cancelled: int) -> None:
    """Waits until nothing of a deleted study runs, in the cluster or in the database."""
    study.until(lambda: gone(study), "the study to go")
    study.until(lambda: not study.jobs, "its Jobs to go")
    storage = theatre.operator.storage
    study.until(lambda: all(t.state.ended for t in history_of(storage, study)), "cancellation")
    trials = history_of(storage, study)
    assert [trial.number for trial in trials] == list(range(ended + cancelled))
    assert {trial.state for trial in trials[:ended]} <= {TrialState.COMPLETE}
    reasons = [trial.outcome.reason for trial in trials[ended:] if trial.outcome]
    assert reasons == [TrialReason.CANCELLED] * cancelled


def test_two_studies_of_one_name(theatre: Theatre) -> None:
    """In two namespaces, at the same time: each has its own trials and results."""
    spaces = [theatre.namespace, theatre.other_namespace]
    one, other = [
        theatre.study("twin", namespace=space, trials={"max": 6, "parallelism": 2})
        for space in spaces
    ]
    for study in (one, other):
        study.finish()
        theatre.check(study, 6)


def test_a_spec_that_changes_in_flight(theatre: Theatre) -> None:
    """Guards, parallelism down and up, and more trials: the running ones go on undisturbed."""
    theatre.play.script = below(0)
    study = theatre.study("edited", trials={"max": 8, "parallelism": 3})
    study.until(lambda: study.running == [0, 1, 2], "three trials to run")
    jobs = {job["metadata"]["uid"] for job in study.jobs}
    guard = {"name": "hopeless", "when": "metrics.accuracy < -1.0", "outcome": "Failed"}
    study.patch(guards=[guard])
    study.patch(trials={"parallelism": 1})
    followed(study)
    assert {job["metadata"]["uid"] for job in study.jobs} == jobs
    theatre.play.script = below(2)
    study.until(lambda: study.counts["complete"] == 2, "two trials to end")
    study.until(lambda: study.running == [2], "one to be left alone")
    study.patch(trials={"parallelism": 3})
    study.until(lambda: study.running == [2, 3, 4], "two more to be launched")
    study.patch(trials={"max": 10})
    theatre.play.script = below(10)
    study.until(lambda: study.counts["complete"] == 10, "all to end")
    study.finish()
    theatre.check(study, 10)


def test_more_trials_after_the_end(theatre: Theatre) -> None:
    """A study that has ended goes on when trials.max is raised, and ends again."""
    study = theatre.study("raised", trials={"max": 3, "parallelism": 2})
    study.finish()
    study.until(lambda: not study.jobs, "the last Job to go")
    study.patch(trials={"max": 5})
    study.until(lambda: study.counts["complete"] == 5, "two more")
    study.finish()
    theatre.check(study, 5)


def test_a_study_that_is_suspended(theatre: Theatre) -> None:
    """Its trials are stopped; resumed, each goes on as another attempt, and no other ran twice."""
    theatre.play.script = below(2)
    study = theatre.study("paused", trials={"max": 6, "parallelism": 2})
    study.until(lambda: study.running == [2, 3], "the first two to end")
    study.patch(suspend=True)
    study.until(lambda: study.condition("Suspended")[0] == "True" and not study.jobs, "the pause")
    theatre.play.script = below(6)
    study.patch(suspend=False)
    study.finish()
    theatre.check(study, 6, attempts={2: 2, 3: 2})


@pytest.mark.parametrize("kind", ["jobs", "pods"])
def test_what_a_user_takes_away(theatre: Theatre, kind: str) -> None:
    """A running trial whose Job or pod is deleted by hand is a disrupted one: it is tried again."""
    theatre.play.script = below(1)
    study = theatre.study(f"robbed-{kind}", trials={"max": 5, "parallelism": 2})
    study.until(lambda: study.running == [1, 2], "two trials to run")
    job = next(job for job in study.jobs if job["metadata"]["labels"]["kubetune.io/trial"] == "1")
    group = "/apis/batch/v1" if kind == "jobs" else "/api/v1"
    found = theatre.plane.request("GET", f"{group}/namespaces/{study.namespace}/{kind}")["items"]
    (name,) = [
        each["metadata"]["name"]
        for each in found
        if job["metadata"]["uid"] in (each["metadata"]["uid"], owner(each))
    ]
    path = f"{group}/namespaces/{study.namespace}/{kind}/{name}?propagationPolicy=Background"
    theatre.plane.request("DELETE", path)
    study.until(lambda: study.active.get(1, {}).get("attempt") == 2, "a second attempt")
    theatre.play.script = below(5)
    study.finish()
    theatre.check(study, 5, attempts={1: 2})


def test_a_study_that_is_made_anew_under_its_name(theatre: Theatre) -> None:
    """Nothing of the old one counts in the new one, though they follow each other at once."""
    theatre.play.script = below(0)
    old = theatre.study("anew", trials={"max": 4, "parallelism": 2})
    old.until(lambda: old.running == [0, 1], "two trials to run")
    old.delete()
    theatre.play.script = below(4)
    new = theatre.study("anew", trials={"max": 4, "parallelism": 2})
    new.finish()
    theatre.check(new, 4)
    until_cancelled(theatre, old, ended=0, cancelled=2)


def test_a_study_that_is_deleted(theatre: Theatre) -> None:
    """It goes at once, its Jobs with it; its running trials are Cancelled, the others stay."""
    theatre.play.script = below(2)
    study = theatre.study("deleted", trials={"max": 9, "parallelism": 3})
    study.until(lambda: study.running == [2, 3, 4], "the first two to end")
    study.delete()
    until_cancelled(theatre, study, ended=2, cancelled=3)
