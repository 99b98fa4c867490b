"""People who change a study in the midst of its course, or after it: no trial is lost."""

from typing import Any

import pytest

from kubetune.domain.trial import Stage, TrialState
from tests.builders import make_result
from tests.integration.operator.stage import Last, Part, Study, below, completes
from tests.integration.operator.stored import history_of
from tests.integration.operator.theatre import Theatre

pytestmark = pytest.mark.timeout(300)

COARSE = {"name": "coarse", "trials": 3}
FINE = {"name": "fine", "trials": 3, "narrow": {"aroundTop": 2, "shrink": 0.5}}
FINER = {"name": "finer", "trials": 2, "narrow": {"aroundTop": 1, "shrink": 0.5}}
FINALISTS = {"top": 2, "seeds": [1, 2], "heldOutMetric": "test"}


def tells(part: Part) -> Last:
    """Every trial completes at once; the held-out metric is shown where it may be."""
    message = make_result(part.x).decode()
    if '"stage": "heldout"' in part.environment["KUBETUNE_TRIAL"]:
        message = message.replace('{"accuracy"', '{"test": 0.25, "accuracy"')
    return Last(message=message)


def course(theatre: Theatre, study: Study) -> list[tuple[str, str]]:
    """Stage and phase of each trial; all have completed, in order of number, each once."""
    trials = history_of(theatre.operator.storage, study)
    assert [trial.number for trial in trials] == list(range(len(trials)))
    assert {trial.state for trial in trials} <= {TrialState.COMPLETE}
    ended = [number for number, _ in theatre.play.ended_of(study.uid)]
    assert sorted(set(ended)) == list(range(len(trials)))
    return [
        (str(trial.stage), trial.phase if trial.stage is Stage.SEARCH else "") for trial in trials
    ]


def phases(theatre: Theatre, study: Study) -> list[str]:
    return [phase for _, phase in course(theatre, study)]


def make(theatre: Theatre, name: str, **spec: Any) -> Study:
    trials = {"max": 6, "parallelism": 2}
    return theatre.study(name, **{"trials": trials, "phases": [COARSE, FINE], **spec})


def test_a_phase_that_is_appended_after_the_end(theatre: Theatre) -> None:
    """It opens the study again; the phases before it stay as they were."""
    study = make(theatre, "appended")
    study.finish()
    before = history_of(theatre.operator.storage, study)
    study.patch(phases=[COARSE, FINE, FINER], trials={"max": 8})
    study.until(lambda: study.counts["complete"] == 8 and study.ended, "the new phase to end")
    assert phases(theatre, study) == ["coarse"] * 3 + ["fine"] * 3 + ["finer"] * 2
    assert history_of(theatre.operator.storage, study)[:6] == before


def test_more_trials_for_the_last_phase_after_the_end(theatre: Theatre) -> None:
    """A last phase without a number of its own takes what a raised trials.max leaves."""
    rest = {"name": "rest", "narrow": {"aroundTop": 2, "shrink": 0.5}}
    study = make(theatre, "more", phases=[COARSE, rest])
    study.finish()
    study.patch(trials={"max": 9})
    study.until(lambda: study.counts["complete"] == 9 and study.ended, "three more")
    assert phases(theatre, study) == ["coarse"] * 3 + ["rest"] * 6


def test_a_course_that_is_suspended_in_its_second_phase(theatre: Theatre) -> None:
    """It goes on where it was: the trials of that phase as second attempts, none of the first."""
    theatre.play.script = below(3)
    study = make(theatre, "rested")
    study.until(lambda: study.running == [3, 4], "the second phase to begin")
    assert study.status["currentPhase"] == "fine"
    study.patch(suspend=True)
    study.until(lambda: study.condition("Suspended")[0] == "True" and not study.jobs, "the pause")
    theatre.play.script = completes
    study.patch(suspend=False)
    study.finish()
    assert phases(theatre, study) == ["coarse"] * 3 + ["fine"] * 3
    attempts = [trial.attempt for trial in history_of(theatre.operator.storage, study)]
    assert attempts == [1, 1, 1, 2, 2, 1]


def test_guards_and_parallelism_that_change_in_a_phase(theatre: Theatre) -> None:
    """Trials that run go on undisturbed, and the phases keep their numbers."""
    theatre.play.script = below(3)
    study = make(theatre, "guarded")
    study.until(lambda: study.running == [3, 4], "the second phase to begin")
    jobs = {job["metadata"]["uid"] for job in study.jobs}
    guard = {"name": "hopeless", "when": "metrics.accuracy < -1.0", "outcome": "Failed"}
    study.patch(guards=[guard], trials={"parallelism": 3})
    study.until(lambda: study.running == [3, 4, 5], "one more to be launched")
    assert jobs <= {job["metadata"]["uid"] for job in study.jobs}
    theatre.play.script = completes
    study.finish()
    assert phases(theatre, study) == ["coarse"] * 3 + ["fine"] * 3


def test_finals_that_are_suspended(theatre: Theatre) -> None:
    """Each candidate still has each seed once, and held-out data are opened once."""
    theatre.play.script = lambda part: tells(part) if part.number < 7 else None
    study = make(theatre, "finals", finalists=FINALISTS)
    study.until(lambda: study.running == [7, 8], "the finals to begin")
    assert study.status["currentPhase"] == "finalists"
    study.patch(suspend=True)
    study.until(lambda: study.condition("Suspended")[0] == "True" and not study.jobs, "the pause")
    theatre.play.script = tells
    study.patch(suspend=False)
    status = study.finish()
    stages = [stage for stage, _ in course(theatre, study)]
    assert stages == ["search"] * 6 + ["finalist"] * 4 + ["heldout"]
    trials = history_of(theatre.operator.storage, study)[6:10]
    assert len({(trial.repeats, trial.seed) for trial in trials}) == 4
    assert (status["best"]["evidence"], status["best"]["heldOut"]) == ("HeldOut", 0.25)
