"""What a report is made of: above all, whether and why its study has ended."""

from kubetune.domain.planner import plan
from kubetune.domain.reasons import StudyReason
from kubetune.domain.study import Budget, Phase, StudySpec, TrialPolicy
from kubetune.domain.trial import Trial
from kubetune.report.findings import gather
from tests.builders import NOW, make_observation, make_study, make_trial

PLAIN = make_study()
PHASES = tuple(
    Phase(name=name, space=PLAIN.space, sampler=PLAIN.sampler, pruner=PLAIN.pruner, trials=1)
    for name in ("coarse", "fine")
)
TRIALS = (make_trial(0, 0.5, phase="coarse"), make_trial(1, 0.6, phase="fine"))


def reasons(spec: StudySpec, *trials: Trial) -> set[StudyReason]:
    """Why the study has ended, by the engine's status and without one."""
    status = plan(make_observation(*trials, spec=spec)).status
    ends = [gather(spec, trials, one).end for one in (status, None)]
    assert all(ends)
    return {end.reason for end in ends if end}


def test_a_course_that_is_over_has_not_run_out_of_space() -> None:
    """Whatever `trials.max` leaves: all that its phases ask for has ended."""
    spec = make_study(phases=PHASES, trials=TrialPolicy(max=20))
    assert reasons(spec, *TRIALS) == {StudyReason.TRIALS_EXHAUSTED}


def test_a_budget_that_is_used_up_is_the_end() -> None:
    """Also for a report that is written later, from the trials alone."""
    spec = make_study(budget=Budget(wall_clock_seconds=50))
    cut = make_trial(2, 0.5, created_at=NOW - 100, ended_at=NOW)
    assert reasons(spec, *TRIALS, cut) == {StudyReason.BUDGET_EXHAUSTED}
