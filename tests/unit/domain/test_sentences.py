"""What people read is short, true and has the figures."""

from dataclasses import replace

import pytest

from kubetune.domain import sentences
from kubetune.domain.course import Over, Place
from kubetune.domain.finalists import finals
from kubetune.domain.observation import Observation, Reading
from kubetune.domain.planner import plan
from kubetune.domain.reasons import EventReason, StudyReason, TrialReason
from kubetune.domain.status import Condition, ConditionType, Counts, StudyStatus, Truth
from kubetune.domain.study import Finalists, Pruner, PrunerAlgorithm
from kubetune.domain.trial import Stage, TrialState
from tests.builders import (
    make_exit,
    make_observation,
    make_outcome,
    make_points,
    make_run,
    make_study,
    make_trial,
)
from tests.unit.domain.planned import DONE


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.98125, "0.9812"), (6e-5, "6e-05"), (12345.678, "12345.7"), (3.0, "3"), (0.0, "0")],
)
def test_a_figure_is_short(value: float, text: str) -> None:
    """Four digits, more only for what is large."""
    assert sentences.number(value) == text


@pytest.mark.parametrize(
    ("share", "text"), [(0.0251, "+2.5 %"), (-0.1, "-10.0 %"), (-0.0, "+0.0 %"), (-1e-9, "+0.0 %")]
)
def test_a_change_has_its_sign(share: float, text: str) -> None:
    """Better is plus, for either direction."""
    assert sentences.percent(share) == text


@pytest.mark.parametrize(
    ("value", "standing"),
    [
        (0.96, ", BEST (baseline 0.8, +20.0 %)"),
        (0.85, ", IMPROVED (baseline 0.8, +6.2 %)"),
        (0.4, ", WORSE (baseline 0.8, -50.0 %)"),
        (0.8, " (baseline 0.8, +0.0 %)"),
    ],
)
def test_a_completion_says_how_it_stands(value: float, standing: str) -> None:
    """Against the best before it and against the baseline."""
    best, baseline = make_trial(1, value=0.9), make_trial(0, value=0.8, baseline=True)
    trial = make_trial(2, value=value)
    event = sentences.ended(make_study(), trial, best=best, baseline=baseline)
    assert event.message == f"trial 2 Complete: accuracy {value:g}{standing}"


def test_an_imported_result_is_called_so() -> None:
    """It never ran."""
    trial = make_trial(0, outcome=make_outcome(0.5, reason=TrialReason.IMPORTED))
    event = sentences.ended(make_study(), trial, best=None, baseline=None)
    assert event.message == "trial 0 imported: accuracy 0.5, BEST"


def test_a_cancelled_trial_is_no_warning() -> None:
    """The study ended: nothing is wrong with the trial."""
    outcome = make_outcome(
        None, state=TrialState.FAILED, reason=TrialReason.CANCELLED, message="the study has ended"
    )
    event = sentences.ended(make_study(), make_trial(4, outcome=outcome), best=None, baseline=None)
    assert (event.reason, event.warning) == (EventReason.TRIAL_STOPPED, False)
    assert event.message == "trial 4 cancelled: the study has ended"


@pytest.mark.parametrize(
    ("before", "after", "reasons"),
    [
        (None, StudyReason.TARGET_REACHED, []),
        (StudyReason.RUNNING, StudyReason.RUNNING, []),
        (StudyReason.RUNNING, StudyReason.TARGET_REACHED, [EventReason.STUDY_SUCCEEDED]),
        (StudyReason.RUNNING, StudyReason.TOO_MANY_FAILURES, [EventReason.STUDY_FAILED]),
        (StudyReason.TARGET_REACHED, StudyReason.TARGET_REACHED, []),
        (StudyReason.RUNNING, StudyReason.INTERRUPTED, [EventReason.STUDY_SUSPENDED]),
        (StudyReason.INTERRUPTED, StudyReason.INTERRUPTED, []),
    ],
)
def test_what_became_of_a_study_is_said_once(before, after, reasons) -> None:
    """Between two statuses; an engine that starts on an ended study says nothing."""
    earlier = None if before is None else status(before)
    assert [event.reason for event in sentences.study(earlier, status(after))] == reasons


def test_counts_name_only_what_there_is() -> None:
    """Noughts say nothing."""
    assert (
        sentences.counts(Counts(total=3, complete=2, active=1)) == "3 trials: 2 Complete, 1 active"
    )


def status(reason: StudyReason) -> StudyStatus:
    going = {StudyReason.RUNNING, StudyReason.INTERRUPTED}
    failed = reason is StudyReason.TOO_MANY_FAILURES
    truth = Truth.FALSE if failed else Truth.TRUE
    return StudyStatus(
        phase="",
        conditions=(Condition(ConditionType.SUCCEEDED, truth, reason),),
        counts=Counts(),
        reason=reason,
        ended=reason not in going,
    )


@pytest.mark.parametrize(
    ("reasons", "text"),
    [
        ((), ""),
        (("no GPU",), "1 trial waits: no GPU"),
        (("no GPU", "no image", "no GPU"), "2 trials wait: no GPU; 1 trial waits: no image"),
        (("a", "b", "c", "c"), "2 trials wait: c; 1 trial waits: a"),
    ],
)
def test_why_trials_wait_is_said_by_reason(reasons: tuple[str, ...], text: str) -> None:
    """The commonest first, and not all of many."""
    assert sentences.waiting(reasons) == text


class TestPlanned:
    def sentence(self, seen: Observation, reason: EventReason) -> str:
        (message,) = (event.message for event in plan(seen).events if event.reason is reason)
        return message

    def test_a_completion_is_compared_with_the_baseline(self) -> None:
        """Figures first, then how it stands."""
        baseline = make_trial(0, value=0.8, baseline=True)
        seen = make_observation(baseline, make_trial(1), runs=(make_run(1, exit=DONE),))
        assert self.sentence(seen, EventReason.TRIAL_COMPLETED) == (
            "trial 1 Complete: accuracy 0.9, BEST (baseline 0.8, +12.5 %)"
        )

    def test_a_pruned_trial_says_where_and_why(self) -> None:
        """The step and the pruner's figures."""
        spec = make_study(pruner=Pruner(algorithm=PrunerAlgorithm.THRESHOLD, lower=0.5))
        readings = {0: Reading(make_points(0.1, start=4))}
        seen = make_observation(make_trial(0), runs=(make_run(0),), readings=readings, spec=spec)
        said = self.sentence(seen, EventReason.TRIAL_PRUNED)
        assert said.startswith("trial 0 Pruned at step 4: ")

    def test_a_failed_trial_says_its_reason(self) -> None:
        """The reason for programs, the words for people."""
        seen = make_observation(make_trial(3), runs=(make_run(3, exit=make_exit(64)),))
        said = self.sentence(seen, EventReason.TRIAL_FAILED)
        assert said == "trial 3 Failed, BadConfiguration: exit code 64"

    def test_a_launch_names_what_was_drawn(self) -> None:
        """Fixed and derived values are the same or follow."""
        said = self.sentence(make_observation(make_trial(0)), EventReason.TRIAL_LAUNCHED)
        assert said == "trial 0 launched: x=0.5"


def place(*over: Over, skipped: dict[str, str] | None = None, failed: str = "") -> Place:
    return Place(phase=None, over=over, skipped=skipped or {}, failed=failed)


def test_a_phase_that_begins_says_what_was_before() -> None:
    """With the trials that the last one had, and why it ended early."""
    coarse = Over(make_study().course[0], 6, "the last 3 trials improved accuracy by 0.10%")
    before = replace(status(StudyReason.RUNNING), place=place(), current_phase="search")
    after = replace(before, place=place(coarse), current_phase="fine")
    assert [event.message for event in sentences.study(before, after)] == [
        "phase fine begins; phase search had 6 trials, the last 3 trials improved accuracy by 0.10%"
    ]
    assert sentences.study(after, after) == ()


def test_what_a_course_leaves_out_is_said_once() -> None:
    """A phase whose condition does not hold, a gate that may be missed."""
    missed = Over(make_study().course[0], 6, missed="phase a was to show x; it had y")
    before = replace(status(StudyReason.RUNNING), place=place(), current_phase="search")
    after = replace(before, place=place(missed, skipped={"wider": "outcomes.good == 0"}))
    events = sentences.study(before, after)
    assert [(event.reason, event.warning) for event in events] == [
        (EventReason.GATE_FAILED, True),
        (EventReason.PHASE_SKIPPED, False),
    ]
    assert events[1].message == "phase wider is left out: outcomes.good == 0 does not hold"


def test_runs_of_the_finals_say_what_they_repeat() -> None:
    """And the held-out run what it was made for."""
    wanted = Finalists(top=1, seeds=(3,), held_out_metric="test_accuracy")
    spec = make_study(finalists=wanted)
    again = make_trial(7, 0.9, stage=Stage.FINALIST, repeats=2, seed=3)
    assert sentences.launched(spec, again).message == "trial 7 launched: trial 2 again, seed 3"
    outcome = make_outcome(0.9, metrics={"test_accuracy": 0.88})
    last = make_trial(8, outcome=outcome, stage=Stage.HELD_OUT, repeats=2, seed=3)
    assert sentences.ended(spec, last, best=None, baseline=None).message == (
        "trial 8 Complete (trial 2 on held-out data, seed 3): test_accuracy 0.88, accuracy 0.9"
    )
    assert sentences.finals(spec, finals(spec, [make_trial(2, 0.95), again, last])) == (
        "mean accuracy of 1 seed 0.9, test_accuracy 0.88 on held-out data"
    )
