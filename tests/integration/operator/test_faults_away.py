"""An operator that was away: whatever happened meanwhile is found, and nothing is done twice."""

from dataclasses import dataclass

import pytest

from kubetune.domain.trial import TrialState
from tests.integration.operator.stage import Study, below, completes
from tests.integration.operator.stored import history_of
from tests.integration.operator.theatre import Theatre

pytestmark = pytest.mark.timeout(300)

TRIALS = {"max": 4, "parallelism": 2}


@dataclass(frozen=True, slots=True)
class Absence:
    """What happened to each study while the operator was away; `new` has the name of `replaced`."""

    theatre: Theatre
    ended: Study
    robbed: Study
    edited: Study
    suspended: Study
    deleted: Study
    replaced: Study
    new: Study


@pytest.fixture(scope="module")
def absence(house: Theatre) -> Absence:
    """An operator that was killed while two trials of each study ran, and is back.

    All the trials that it left have ended since, as after an hour, but those that went with their
    study or were taken away.
    """
    house.reset()
    house.play.script = below(0)
    names = ("ended", "robbed", "edited", "suspended", "deleted", "replaced")
    studies = {name: house.study(name, trials=TRIALS) for name in names}
    for study in studies.values():
        study.until(lambda study=study: study.running == [0, 1], "two trials to run")
    house.operator.kill()

    for name in ("deleted", "replaced"):
        studies[name].delete()
        studies[name].until(lambda study=studies[name]: not study.jobs, "its Jobs to go")
    new = house.study("replaced", trials=TRIALS)
    take_away(house, studies["robbed"])
    house.play.script = completes
    for name in ("ended", "robbed", "edited", "suspended"):
        studies[name].until(lambda study=studies[name]: all_over(study), "its Jobs to end")
    studies["edited"].patch(trials={"max": 6})
    studies["suspended"].patch(suspend=True)
    house.operator.start()
    return Absence(theatre=house, new=new, **studies)


def take_away(theatre: Theatre, study: Study) -> None:
    """Deletes the Job of trial 0 with all that is its own."""
    path = f"/apis/batch/v1/namespaces/{study.namespace}/jobs"
    (job,) = [job for job in study.jobs if job["metadata"]["labels"]["kubetune.io/trial"] == "0"]
    name = job["metadata"]["name"]
    theatre.plane.request("DELETE", f"{path}/{name}?propagationPolicy=Foreground")
    study.until(lambda: len(study.jobs) == 1, "the Job to go")


def all_over(study: Study) -> bool:
    """Whether every Job of a study has completed."""
    return all(job["status"].get("succeeded") for job in study.jobs)


def test_all_results_are_told(absence: Absence) -> None:
    """Each trial that ended meanwhile counts with its own value; the study goes on to its end."""
    absence.ended.finish()
    absence.theatre.check(absence.ended, 4)


def test_what_was_taken_away_is_launched_again(absence: Absence) -> None:
    """As the attempt that it was, for nobody saw its end; no other trial runs again."""
    absence.robbed.finish()
    absence.theatre.check(absence.robbed, 4)


def test_a_changed_spec_is_followed(absence: Absence) -> None:
    """As many trials as it says now."""
    absence.edited.finish()
    absence.theatre.check(absence.edited, 6)


def test_a_suspended_study_keeps_what_has_ended(absence: Absence) -> None:
    """Results are told, nothing is launched; resumed, it goes on with the next trial."""
    study = absence.suspended
    study.until(lambda: study.condition("Suspended")[0] == "True" and not study.jobs, "the pause")
    assert study.counts["complete"] == study.counts["total"] == 2
    study.patch(suspend=False)
    study.finish()
    absence.theatre.check(study, 4)


def test_a_study_of_the_same_name_is_another_one(absence: Absence) -> None:
    """It has all its trials; what the old one had stays what it was."""
    absence.new.finish()
    absence.theatre.check(absence.new, 4)
    storage = absence.theatre.operator.storage
    old = history_of(storage, absence.replaced)
    assert [trial.state for trial in old] == [TrialState.RUNNING] * 2


def test_a_deleted_study_is_history(absence: Absence) -> None:
    """Its deletion waited for nobody, and nothing of it is taken up again.

    See `docs/decisions/0011` for the trials that are Running in the database for ever.
    """
    absence.ended.finish()
    storage = absence.theatre.operator.storage
    assert len(history_of(storage, absence.deleted)) == 2
    assert not absence.deleted.jobs
    asked = absence.theatre.proxy.requests("POST", "/jobs$")
    bodies = [seen.body for seen in asked if "dryRun" not in seen.query]
    launched = [body["metadata"]["labels"]["kubetune.io/study-uid"] for body in bodies]
    assert launched.count(absence.deleted.uid) == 2
