"""The Gaussian process sampler, in the environment that has torch."""

from dataclasses import replace

import pytest

from bench.studies import load
from kubetune.adapters.optuna.drawing import Drafter
from kubetune.adapters.optuna.records import Record
from kubetune.domain.coordinates import Coordinates
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import OutcomeConstraint, Sampler, SamplerAlgorithm, StudySpec
from kubetune.domain.trial import Outcome, Trial, TrialState
from tests.draws import draws

pytestmark = [pytest.mark.timeout(300), pytest.mark.filterwarnings("default")]


def study(**changes) -> StudySpec:
    sampler = Sampler(algorithm=SamplerAlgorithm.GP, seed=3, startup_trials=4)
    return replace(load("w0.yaml"), sampler=sampler, **changes)


def finished(spec: StudySpec, count: int, constraints: tuple[float, ...] = ()) -> list[Record]:
    """Drawn and finished one after the other; the rate is what is minimised."""
    drafter = Drafter(spec, Coordinates(spec.space))
    records: list[Record] = []
    for number in range(count):
        draft = drafter.draft(records)
        assert draft is not None
        value = float(draft.candidate.parameters["learning_rate"]) * 1e4
        outcome = Outcome(
            TrialState.COMPLETE, TrialReason.NONE, values=(value,), constraints=constraints
        )
        trial = Trial(
            number=number,
            state=TrialState.COMPLETE,
            parameters=draft.candidate.parameters,
            active=draft.candidate.active,
            outcome=outcome,
        )
        records.append(draft.record(trial))
    return records


def test_no_draw_breaks_a_hard_constraint():
    """The model's proposals are bounded like any other's."""
    spec = study()
    hard = [item for item in spec.space.constraints if item.hard]
    for candidate in draws(spec, 40, each=20):
        assert not [item.name for item in hard if item.forbid.holds(candidate.parameters)]


def test_a_draw_is_a_function_of_seed_number_and_history():
    """Another process over the same history draws the same trial."""
    spec = study()
    records = finished(spec, 8)
    again = Drafter(spec, Coordinates(spec.space)).draft(records)
    first = Drafter(spec, Coordinates(spec.space)).draft(records)
    assert first is not None
    assert again is not None
    assert first.candidate.parameters == again.candidate.parameters


def test_measured_constraints_are_the_same_columns_for_every_trial():
    """A trial that measured nothing does not stop the model from drawing."""
    spec = study(outcome_constraints=(OutcomeConstraint(metric="black", max=0.1),))
    records = finished(spec, 6, constraints=(0.2,))
    outcome = records[-1].trial.outcome
    assert outcome is not None
    bare = replace(records[-1].trial, outcome=replace(outcome, constraints=()))
    records[-1] = replace(records[-1], trial=bare)
    assert Drafter(spec, Coordinates(spec.space)).draft(records) is not None
