"""What a study holds and has used, as dashboards show it."""

import pytest

from kubetune.domain.planner import plan
from kubetune.domain.reasons import TrialReason
from kubetune.domain.runs import RunState
from kubetune.domain.study import Budget
from kubetune.domain.trial import Outcome, Stage, TrialState
from kubetune.domain.usage import Usage, usage
from tests.builders import NOW, make_observation, make_run, make_study, make_trial

LIMITS = Budget(gpu_hours=4.0, wall_clock_seconds=14400.0)
IMPORTED = Outcome(TrialState.COMPLETE, TrialReason.IMPORTED, values=(0.5,))


def test_only_runs_that_have_begun_hold_gpus() -> None:
    """One that waits in a queue holds none, whatever it asks for; one that stops still does."""
    runs = (
        make_run(0),
        make_run(1, stopping=True),
        make_run(2, state=RunState.PENDING, started_at=None),
        make_run(3, state=RunState.ENDED),
    )
    assert usage(make_study(gpus=4), (), runs, NOW, ended=False).gpus == 8


def test_without_gpus_nothing_is_said_of_them() -> None:
    """A zero would be an answer to a question that nobody asked."""
    found = usage(make_study(), (make_trial(),), (make_run(),), NOW, ended=False)
    assert found == Usage(shares={"trials": 0.1})


def test_shares_are_of_what_is_limited() -> None:
    """Trials that run count until now; without a limit there is no share of it."""
    trials = (
        make_trial(0, created_at=NOW - 7200, started_at=NOW - 7200),
        make_trial(1, started_at=NOW - 3600),
    )
    spec = make_study(gpus=1, budget=LIMITS, max_trials=8)
    found = usage(spec, trials, (), NOW, ended=False)
    assert found.gpu_hours == pytest.approx(3)
    assert found.shares == pytest.approx(
        {"trials": 0.25, "gpuHours": 0.75, "wallClockSeconds": 0.5}
    )


def test_an_ended_study_uses_nothing_more() -> None:
    """Its time stands still at the end of its last trial."""
    trial = make_trial(0, 0.5, created_at=NOW - 7200, started_at=NOW - 7200, ended_at=NOW - 3600)
    spec = make_study(gpus=1, budget=LIMITS)
    assert usage(spec, (trial,), (), NOW, ended=True).shares["wallClockSeconds"] == 0.25
    assert usage(spec, (trial,), (), NOW, ended=False).shares["wallClockSeconds"] == 0.5


def test_what_was_not_run_counts_as_no_trial() -> None:
    """As `trials.max` counts: imported trials and runs of the finals stand beside it."""
    trials = (make_trial(0, outcome=IMPORTED), make_trial(1, 0.5, stage=Stage.FINALIST))
    assert usage(make_study(), trials, (), NOW, ended=False).shares == {"trials": 0}


def test_a_pass_says_how_trials_ended_and_which_are_best() -> None:
    """Counted by state and reason; five at most, the best first."""
    failed = Outcome(TrialState.FAILED, TrialReason.CRASHED)
    values = [0.1, 0.9, 0.5, 0.3, 0.7, 0.2]
    trials = [make_trial(number, value) for number, value in enumerate(values)]
    trials.append(make_trial(6, outcome=failed))
    status = plan(make_observation(*trials)).status
    assert status.ends == {
        (TrialState.COMPLETE, TrialReason.NONE): 6,
        (TrialState.FAILED, TrialReason.CRASHED): 1,
    }
    assert [trial.number for trial in status.top] == [1, 4, 2, 3, 5]
