"""What the trials of one phase teach another."""

from dataclasses import replace

import pytest

from kubetune.adapters.optuna.carrying import Carrier
from kubetune.adapters.optuna.records import Record
from kubetune.domain.coordinates import Coordinates
from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.narrowing import narrowed
from kubetune.domain.space import Choice, Condition, Double, Integer, Space
from kubetune.domain.trial import Stage
from tests.builders import make_trial

SCOPE = {"kind": Kind.STRING}
SPACE = Space(
    parameters=(
        Double(name="x", low=0.0, high=1.0),
        Double(name="ratio", low=0.25, high=0.9, step=0.05),
        Integer(name="units", low=16, high=128, step=16),
        Choice(name="kind", values=("a", "b", "c")),
        Integer(
            name="cycles",
            low=1,
            high=5,
            condition=Condition(compile_expression("kind == 'b'", SCOPE)),
        ),
    )
)
VALUES = {"x": 0.5, "ratio": 0.5, "units": 64, "kind": "b", "cycles": 2}
MEMORY = {"trial": {"generation": 3}, "study": {}}


def with_parameter(parameter: object) -> Space:
    """The space with one parameter replaced, or added."""
    names = [item.name for item in SPACE.parameters]
    kept = [item for item in SPACE.parameters if item.name != parameter.name]  # type: ignore[attr-defined] # a parameter
    place = names.index(parameter.name) if parameter.name in names else len(names)  # type: ignore[attr-defined] # a parameter
    return replace(SPACE, parameters=(*kept[:place], parameter, *kept[place:]))  # type: ignore[arg-type] # a parameter


def record(phase: str = "first", active: set[str] | None = None, **values: object) -> Record:
    """A trial of the first phase, drawn from SPACE."""
    drawn = {**VALUES, **values}
    names = frozenset(VALUES if active is None else active)
    point = Coordinates(SPACE).encode(drawn) if names == VALUES.keys() else {}
    trial = make_trial(0, 0.5, parameters=drawn, active=names, phase=phase)
    return Record(trial=trial, point=point, drawn=drawn, proposals=4, memory=MEMORY)


def carried(space: Space, one: Record, phase: str = "second") -> Record:
    """The record as a phase over this space sees it."""
    (found,) = Carrier(phase, Coordinates(space)).history([one])
    return found


def test_a_trial_inside_is_learnt_from_at_its_place() -> None:
    """Its coordinates are those of this phase's axes: an index counts from the new start."""
    leaders = [{"x": 0.5, "ratio": 0.5, "units": 64, "kind": "b", "cycles": 2}]
    found = carried(narrowed(SPACE, leaders, 0.5), record())
    assert not found.outside
    assert found.point["x"] == 0.5
    assert found.point["ratio"] < Coordinates(SPACE).encode(VALUES)["ratio"]
    assert found.point["kind"] == 1


@pytest.mark.parametrize(
    "parameter",
    [
        Double(name="x", low=0.6, high=1.0),
        Double(name="ratio", low=0.6, high=0.9, step=0.05),
        Double(name="ratio", low=0.25, high=0.9, step=0.1),
        Integer(name="units", low=80, high=128, step=16),
        Integer(name="units", low=20, high=116, step=16),
        Choice(name="kind", values=("a", "c")),
    ],
    ids=["range", "stepped", "between steps", "whole", "between whole steps", "list"],
)
def test_a_trial_outside_teaches_nothing(parameter: object) -> None:
    """It keeps its place among the numbers; a model of this space is not told of it."""
    found = carried(with_parameter(parameter), record())
    assert found.outside
    assert found.point == {}
    assert found.trial.number == 0


def test_every_step_of_a_narrowed_range_is_inside() -> None:
    """Steps stay the same numbers to the last bit, wherever the range was cut."""
    ratio = SPACE.parameter("ratio")
    assert isinstance(ratio, Double)
    for leader in ratio.values or ():
        space = narrowed(SPACE, [{"ratio": leader}], 0.3)
        inner = space.parameter("ratio")
        assert isinstance(inner, Double)
        for value in inner.values or ():
            assert not carried(space, record(ratio=value)).outside


def test_a_wider_range_holds_what_was_drawn_before() -> None:
    """Nothing is lost where a phase searches more."""
    found = carried(with_parameter(Double(name="x", low=-1.0, high=3.0)), record())
    assert not found.outside
    assert found.point["x"] == 0.5


def test_a_parameter_that_is_new_stands_in_the_middle() -> None:
    """A trial without it tells of the others; every axis has a coordinate."""
    space = with_parameter(Double(name="dropout", low=0.0, high=0.2))
    found = carried(space, record())
    assert found.point.keys() == {axis.name for axis in Coordinates(space).axes}
    assert found.point["dropout"] == pytest.approx(0.1)


def test_a_value_that_was_fixed_before_counts() -> None:
    """A phase that searches what others had fixed learns from those that had it within."""
    space = with_parameter(Integer(name="epochs", low=5, high=20))
    assert carried(space, record(epochs=10)).point["epochs"] == 10
    assert carried(space, record(epochs=30)).outside


def test_an_inactive_parameter_stands_in_the_middle_whatever_its_value() -> None:
    """`otherwise` need not be a value of the range."""
    one = record(active=VALUES.keys() - {"cycles"}, kind="a", cycles=0)
    found = carried(SPACE, one)
    assert not found.outside
    assert found.point["cycles"] == 3


def test_samplers_find_no_notes_of_another_phase() -> None:
    """A generation or a step of a grid belongs to the phase that it was made in."""
    found = carried(SPACE, record())
    assert (found.memory, found.proposals) == ({}, 0)


def test_a_sequence_may_go_on_where_another_phase_ended() -> None:
    """Begun anew over the same space, it would draw the same points again."""
    (found,) = Carrier("second", Coordinates(SPACE), onward=True).history([record()])
    assert found.proposals == record().proposals


def test_a_phase_sees_its_own_trials_as_they_are() -> None:
    """With all that its sampler noted."""
    one = record("second")
    assert carried(SPACE, one) is one


def test_own_trials_of_a_space_that_has_moved_are_carried_too() -> None:
    """What a phase is narrowed to moves when an earlier phase goes on: no point may lie outside."""
    moved = with_parameter(Integer(name="units", low=48, high=112, step=16))
    found = carried(moved, record("second"))
    assert found.point["units"] == 1
    assert found.memory == {}
    assert carried(moved, record("second", units=16)).outside


def test_a_run_of_the_finals_is_left_as_it_is() -> None:
    """It has no point, and no sampler learns of it."""
    one = record("second")
    run = replace(one, point={}, trial=replace(one.trial, stage=Stage.FINALIST, repeats=0))
    assert carried(SPACE, run) is run


def test_what_did_not_change_is_the_same_object() -> None:
    """A model takes over only what is another record; a history may be cut and go on."""
    carrier = Carrier("second", Coordinates(SPACE))
    first, second, third = record(), record(x=0.1), record(x=0.2)
    before = carrier.history([first, second])
    after = carrier.history([first, third, second])
    assert after[0] is before[0]
    assert after[1] is not before[1]
    assert [item.point["x"] for item in carrier.history([first])] == [0.5]
