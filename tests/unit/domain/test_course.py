"""Where a study stands among its phases, from its trials alone."""

from dataclasses import replace

import pytest

from kubetune.domain import course
from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.reasons import TrialReason
from kubetune.domain.space import Double, Space
from kubetune.domain.study import (
    Gate,
    Narrow,
    OnFailure,
    OutcomeClass,
    Phase,
    Plateau,
    Sampler,
    SamplerAlgorithm,
    TrialPolicy,
)
from kubetune.domain.trial import Stage, TrialState
from tests.builders import SPACE, make_outcome, make_study, make_trial

SCOPE = dict.fromkeys(("trials", "outcomes"), Kind.INTS) | dict.fromkeys(
    ("best", "baseline"), Kind.DOUBLES
)
GOOD = OutcomeClass(
    name="good",
    when=compile_expression("metrics.accuracy > 0.8", {"metrics": Kind.DOUBLES}, (Kind.BOOL,)),
)


def asks(text):
    return compile_expression(text, SCOPE, (Kind.BOOL,))


def study(*phases, max_trials=100, **changes):
    """A study of phases, each a dictionary of what differs."""
    plain = make_study(max_trials=max_trials, outcomes=(GOOD,), **changes)
    made = [
        Phase(**{"space": plain.space, "sampler": plain.sampler, "pruner": plain.pruner, **phase})
        for phase in phases
    ]
    return replace(plain, phases=tuple(made))


def ended(phase, *values, start=0):
    """Complete trials of a phase, in order."""
    return [
        make_trial(start + at, value, phase=phase, ended_at=1000.0 + start + at)
        for at, value in enumerate(values)
    ]


TWO = ({"name": "coarse", "trials": 2}, {"name": "fine", "trials": 3})


def test_a_study_without_phases_is_one_of_all_trials():
    """It has `trials.max`."""
    spec = make_study(max_trials=5)
    found = course.place(spec, ended("", 0.1, 0.2))
    assert (found.phase.name, found.room) == ("search", 3)
    assert course.place(spec, ended("", *[0.1] * 5)).phase is None


def test_phases_follow_each_other():
    """The next begins when all trials of one have ended."""
    spec = study(*TWO)
    assert course.place(spec, []).phase.name == "coarse"
    one_runs = [*ended("coarse", 0.5), make_trial(1, phase="coarse")]
    found = course.place(spec, one_runs)
    assert (found.phase.name, found.room) == ("coarse", 0)
    found = course.place(spec, ended("coarse", 0.5, 0.6))
    assert (found.phase.name, found.room) == ("fine", 3)
    assert [(item.phase.name, item.trials) for item in found.over] == [("coarse", 2)]


def test_a_phase_without_a_number_takes_what_is_left():
    """So raising `trials.max` lets a finished study go on."""
    phases = ({"name": "coarse", "trials": 2}, {"name": "fine"})
    trials = [*ended("coarse", 0.5, 0.6), *ended("fine", 0.7, start=2)]
    assert course.place(study(*phases, max_trials=5), trials).room == 2
    assert course.place(study(*phases, max_trials=3), trials).phase is None
    assert course.place(study(*phases, max_trials=4), trials).room == 1


def test_no_phase_takes_more_than_the_study_has():
    """`trials.max` holds over all of them."""
    found = course.place(study(*TWO, max_trials=3), ended("coarse", 0.5, 0.6))
    assert (found.phase.name, found.room) == ("fine", 1)


def test_a_phase_that_nothing_is_left_for_has_not_been():
    """Its gate cannot fail: `trials.max` ends the study, and raising that goes on with it."""
    gate = Gate(require=asks("outcomes.good >= 1"))
    spec = study(TWO[0], {**TWO[1], "gate": gate}, max_trials=2)
    found = course.place(spec, ended("coarse", 0.1, 0.1))
    assert (found.phase, found.failed, len(found.over)) == (None, "", 1)
    assert course.place(replace(spec, trials=TrialPolicy(max=3)), ended("coarse", 0.1, 0.1)).room


def test_imported_trials_and_finalists_are_no_part_of_a_phase_s_trials():
    """The first had no run here, the others come after the search."""
    known = replace(ended("coarse", 0.5)[0], outcome=make_outcome(0.5, reason=TrialReason.IMPORTED))
    again = make_trial(1, 0.5, phase="coarse", stage=Stage.FINALIST, repeats=0)
    assert course.place(study(*TWO), [known, again]).room == 2


def test_an_exhausted_space_ends_its_phase():
    """The next one may have another space."""
    found = course.place(study(*TWO), ended("coarse", 0.5), exhausted={"coarse"})
    assert found.phase.name == "fine"
    assert found.over[0].exhausted


@pytest.mark.parametrize(("values", "goes_on"), [((0.9, 0.9), True), ((0.9, 0.1), False)])
def test_a_gate_that_fails_ends_the_study(values, goes_on):
    """It says what was wanted and what was counted."""
    gate = Gate(require=asks("outcomes.good >= 2 && trials.failed == 0"))
    spec = study({"name": "coarse", "trials": 2, "gate": gate}, TWO[1])
    found = course.place(spec, ended("coarse", *values))
    assert (found.phase is not None) is goes_on
    if not goes_on:
        assert found.failed == (
            "phase coarse was to show outcomes.good >= 2 && trials.failed == 0;"
            " it had outcomes.good 1, trials.failed 0"
        )


def test_a_gate_that_may_fail_lets_the_study_go_on():
    """`onFailure: Continue`: the status tells it, nothing ends."""
    gate = Gate(require=asks("outcomes.good >= 2"), on_failure=OnFailure.CONTINUE)
    spec = study({"name": "coarse", "trials": 1, "gate": gate}, TWO[1])
    found = course.place(spec, ended("coarse", 0.1))
    assert (found.phase.name, found.failed) == ("fine", "")
    assert found.over[0].missed == (
        "phase coarse was to show outcomes.good >= 2; it had outcomes.good 0"
    )


def test_a_gate_looks_at_its_own_phase():
    """What was good before does not count again."""
    gate = Gate(require=asks("trials.total == 3 && !('accuracy' in baseline)"))
    spec = study(TWO[0], {**TWO[1], "gate": gate})
    trials = [*ended("coarse", 0.1, 0.2), *ended("fine", 0.1, 0.2, 0.3, start=2)]
    assert course.place(spec, trials).failed == ""


def test_a_phase_is_left_out_where_its_condition_does_not_hold():
    """It looks at all trials before it; once begun it goes on."""
    wider = {"name": "wider", "trials": 2, "when": asks("outcomes.good == 0")}
    spec = study(TWO[0], wider)
    found = course.place(spec, ended("coarse", 0.9, 0.1))
    assert (found.phase, found.skipped) == (None, {"wider": "outcomes.good == 0"})
    assert course.place(spec, ended("coarse", 0.1, 0.1)).phase.name == "wider"
    begun = [*ended("coarse", 0.1, 0.1), *ended("wider", 0.9, start=2)]
    assert course.place(spec, begun).room == 1


def test_a_condition_on_what_nobody_measured_does_not_hold():
    """As everywhere: undefined is not true."""
    spec = study({"name": "coarse", "trials": 1}, {"name": "b", "when": asks("best.loss < 1.0")})
    assert course.place(spec, ended("coarse", 0.9)).phase is None


def test_a_plateau_ends_its_phase_once_nothing_runs():
    """Running trials may still bring something."""
    coarse = {"name": "coarse", "trials": 50, "sampler": Sampler()}
    spec = study(coarse, TWO[1], plateau=Plateau(trials=2, min_improvement=0.01))
    flat = ended("coarse", 0.5, 0.5, 0.4)
    assert course.place(spec, flat).phase.name == "fine"
    running = course.place(spec, [*flat, make_trial(3, phase="coarse")])
    assert (running.phase.name, running.room) == ("coarse", 0)
    better = [*flat, *ended("coarse", 0.9, start=3)]
    assert course.place(spec, better).room == 46


def test_a_phase_that_looks_around_has_no_plateau():
    """Random draws do not follow on one another; in the last phase a plateau ends them too."""
    random = Sampler(algorithm=SamplerAlgorithm.RANDOM)
    limit = Plateau(trials=2, min_improvement=0.01)
    first = {"name": "coarse", "trials": 50, "sampler": random}
    flat = ended("coarse", 0.5, 0.5, 0.4)
    assert course.place(study(first, TWO[1], plateau=limit), flat).room == 47
    assert course.place(study(first, plateau=limit), flat).phase is None


def test_narrowing_looks_at_the_phases_before():
    """The best of this phase would shrink it under its own feet."""
    spec = study(
        {"name": "coarse", "trials": 3},
        {"name": "fine", "trials": 3, "narrow": Narrow(around_top=1, shrink=0.5)},
    )
    trials = [
        replace(trial, parameters={"x": x})
        for trial, x in zip(
            [*ended("coarse", 0.9, 0.1, 0.1), *ended("fine", 1.0, start=3)],
            (0.75, 0.1, 0.1, 1.0),
            strict=True,
        )
    ]
    coarse, fine = spec.phases
    assert course.space(spec, coarse, trials) is SPACE
    assert course.space(spec, fine, trials) == Space(
        parameters=(Double(name="x", low=0.5, high=1.0),)
    )


def test_trials_of_a_phase_that_is_no_more_count_to_the_first():
    """A study that was told otherwise loses none."""
    spec = replace(study(*TWO), trials=TrialPolicy(max=9))
    assert course.place(spec, ended("gone", 0.5)).room == 1
    assert course.place(spec, ended("gone", 0.5))
    failed = replace(make_trial(0), state=TrialState.FAILED)
    assert course.facts(spec, [failed])["trials"]["failed"] == 1
