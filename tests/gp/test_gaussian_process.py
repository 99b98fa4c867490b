"""The Gaussian process sampler, in the environment that has torch."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.studies import load
from kubetune.adapters.optuna.drawing import Drafter
from kubetune.adapters.optuna.records import Record
from kubetune.adapters.optuna.store import OptunaStore
from kubetune.domain import course
from kubetune.domain.coordinates import Coordinates
from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.reasons import TrialReason
from kubetune.domain.space import Choice, Constraint, Double, Space
from kubetune.domain.study import (
    Narrow,
    OutcomeConstraint,
    Phase,
    Pruner,
    Sampler,
    SamplerAlgorithm,
    StudySpec,
)
from kubetune.domain.trial import Outcome, Trial, TrialState
from tests.builders import NOW, make_outcome, make_study
from tests.draws import draws
from tests.fakes.clock import FakeClock

XY = {"x": Kind.DOUBLE, "y": Kind.DOUBLE}

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


NARROWED = 6
"""Trials of the phase before the narrowed one."""


def phased() -> StudySpec:
    """A wide phase over three numbers and a list, a narrowed one, and one with a number more."""
    space = Space(
        parameters=(
            Double(name="x", low=0.0, high=1.0),
            Double(name="y", low=0.0, high=1.0),
            Choice(name="kind", values=("a", "b")),
        ),
        constraints=(
            Constraint(name="corner", forbid=compile_expression("x + y > 1.7", XY, (Kind.BOOL,))),
        ),
    )
    wider = replace(space, parameters=(*space.parameters, Double(name="z", low=0.0, high=1.0)))
    gaussian = Sampler(algorithm=SamplerAlgorithm.GP, seed=3, startup_trials=3)
    phases = (
        Phase(name="wide", space=space, sampler=gaussian, pruner=Pruner(), trials=NARROWED),
        Phase(
            name="narrow",
            space=space,
            sampler=gaussian,
            pruner=Pruner(),
            trials=3,
            narrow=Narrow(around_top=2, shrink=0.5),
        ),
        Phase(name="wider", space=wider, sampler=gaussian, pruner=Pruner(), trials=3),
    )
    return make_study(space=space, sampler=gaussian, phases=phases, max_trials=20)


async def walk(folder: Path, *, reopen: bool) -> tuple[Trial, ...]:
    """All trials of the three phases; the database may be opened anew before each draw."""
    spec, url, clock = phased(), f"sqlite:///{folder}/study.db", FakeClock()
    store = await OptunaStore.open(url, "study", spec, clock)
    for phase in spec.phases:
        for _ in range(phase.trials or 0):
            if reopen:
                await store.close()
                store = await OptunaStore.open(url, "study", spec, clock)
            (trial,) = (await store.draw(1, phase.name)).trials
            miss = sum(abs(float(trial.parameters[name]) - 0.3) for name in ("x", "y"))
            await store.tell(trial.number, make_outcome(1.0 - miss), NOW, NOW + 1)
    trials = await store.trials()
    await store.close()
    return trials


async def test_it_goes_on_from_phase_to_phase(tmp_path: Path) -> None:
    """In the narrowed range, then with a parameter that the others did not have; rules hold."""
    trials = await walk(tmp_path, reopen=False)
    spec = phased()
    narrowed = course.space(spec, spec.phases[1], trials[:NARROWED])
    fine = [trial for trial in trials if trial.phase == "narrow"]
    for item in narrowed.parameters[:2]:
        assert isinstance(item, Double)
        assert item.high - item.low < 1.0
        assert all(item.low <= float(trial.parameters[item.name]) <= item.high for trial in fine)
    last = [trial.parameters for trial in trials if trial.phase == "wider"]
    assert len({values["z"] for values in last}) == len(last) == 3
    assert not any(Coordinates(spec.space).broken(trial.parameters) for trial in trials)


async def test_a_restart_changes_no_draw_of_any_phase(tmp_path: Path) -> None:
    """What a phase's model is taught follows from the history alone."""
    for name in ("through", "anew"):
        (tmp_path / name).mkdir()
    expected = await walk(tmp_path / "through", reopen=False)
    found = await walk(tmp_path / "anew", reopen=True)
    assert [trial.parameters for trial in found] == [trial.parameters for trial in expected]


def cut(record: Record) -> Record:
    """The same trial, ended by a guard: it has no value."""
    outcome = Outcome(TrialState.PRUNED, TrialReason.GUARD_TRIPPED, "")
    return replace(record, trial=replace(record.trial, state=TrialState.PRUNED, outcome=outcome))


@pytest.mark.parametrize("known", [1, 8])
def test_where_a_trial_was_cut_is_not_tried_again(known: int):
    """It counts as bad as any: the next draws are of other places, however little is known."""
    spec = study()
    records = finished(spec, 8)
    records = [record if number < known else cut(record) for number, record in enumerate(records)]
    drafter = Drafter(spec, Coordinates(spec.space))
    for number in range(len(records), len(records) + 4):
        draft = drafter.draft(records)
        assert draft is not None
        trial = replace(records[-1].trial, number=number, parameters=draft.candidate.parameters)
        records.append(cut(draft.record(trial)))
    rates = [float(record.drawn["learning_rate"]) for record in records[-4:]]
    kinds = [
        tuple(value for name, value in record.drawn.items() if name != "learning_rate")
        for record in records[-4:]
    ]
    assert len(set(kinds)) > 1 or max(rates) > 1.05 * min(rates)


def test_it_learns_nothing_from_cuts_alone():
    """How bad they are nothing says: draws stay random until a trial has a value."""
    spec = study()
    records = [cut(record) for record in finished(spec, 6)]
    drafter = Drafter(spec, Coordinates(spec.space))
    again = Drafter(
        replace(spec, sampler=replace(spec.sampler, startup_trials=99)), Coordinates(spec.space)
    )
    one, other = drafter.draft(records), again.draft(records)
    assert one is not None
    assert other is not None
    assert one.candidate.parameters == other.candidate.parameters
