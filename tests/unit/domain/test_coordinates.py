"""Rules of the mapping between a sampler's points and a trial's parameters."""

import math

import pytest

from kubetune.domain.coordinates import Coordinates, Repair
from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.space import Choice, Condition, Constraint, Derived, Double, Integer, Space

RATE = Double(name="rate", low=1e-5, high=1e-2, log=True)
OPTIMIZER = Choice(name="optimizer", values=("Adam", "Lion", "SGD"))
LAYERS = Integer(name="layers", low=1, high=8)
SCOPE = {
    "rate": Kind.DOUBLE,
    "optimizer": Kind.STRING,
    "layers": Kind.INT,
    "size": Kind.INT,
    "width": Kind.INT,
}


def forbid(text: str, **more) -> Constraint:
    return Constraint(name="rule", forbid=compile_expression(text, SCOPE), **more)


def coordinates(*parameters, constraints=(), derived=(), fixed=None) -> Coordinates:
    return Coordinates(
        Space(
            parameters=parameters,
            constraints=tuple(constraints),
            derived=tuple(derived),
            fixed=fixed or {},
        )
    )


def test_a_range_ends_exactly_where_a_clause_says():
    """A rate above the bound of its optimiser becomes the bound itself, not a float beside it."""
    space = coordinates(RATE, OPTIMIZER, constraints=[forbid("rate > 1e-4 && optimizer == 'Lion'")])
    assert space.candidate({"rate": 5e-3, "optimizer": 1}).parameters["rate"] == 1e-4
    assert space.candidate({"rate": 5e-3, "optimizer": 0}).parameters["rate"] == 5e-3


def test_an_open_bound_is_not_touched():
    """`rate >= bound` forbids the bound: the nearest allowed value is the float below it."""
    space = coordinates(RATE, OPTIMIZER, constraints=[forbid("rate >= 1e-4")])
    value = space.candidate({"rate": 5e-3, "optimizer": 1}).parameters["rate"]
    assert value == math.nextafter(1e-4, 0)


def test_the_nearest_of_two_sides_is_taken():
    """A forbidden band sends a value to its nearer edge on the parameter's scale."""
    space = coordinates(RATE, constraints=[forbid("rate > 1e-4 && rate < 1e-3")])
    assert space.candidate({"rate": 2e-4}).parameters["rate"] == 1e-4
    assert space.candidate({"rate": 8e-4}).parameters["rate"] == 1e-3


def test_a_bound_may_depend_on_other_parameters():
    """The end of a slice is computed from the values decided before it."""
    space = coordinates(RATE, LAYERS, constraints=[forbid("rate > 0.001 / double(layers)")])
    assert space.candidate({"rate": 1e-2, "layers": 4}).parameters["rate"] == 0.001 / 4


def test_a_tangled_clause_is_bounded_by_bisection():
    """A parameter on both sides of a clause is cut where the clause changes its answer."""
    tangled = "rate * rate + 0.001 * rate > 2e-6"
    space = coordinates(RATE, constraints=[forbid(tangled)])
    candidate = space.candidate({"rate": 1e-2})
    assert not candidate.broken
    assert candidate.parameters["rate"] == pytest.approx(1e-3)


def test_a_clause_on_a_derived_value_bounds_the_parameter_behind_it():
    """Constraints see through derived values."""
    scope = {"rate": Kind.DOUBLE, "layers": Kind.INT}
    size = Derived("size", compile_expression("int(rate * 1000.0) * layers", scope))
    space = coordinates(RATE, LAYERS, derived=[size], constraints=[forbid("size > 8")])
    candidate = space.candidate({"rate": 1e-2, "layers": 2})
    assert not candidate.broken
    assert candidate.parameters["size"] == 8


def test_an_ordered_list_moves_to_the_nearest_place():
    """A forbidden number of a list becomes the nearest allowed one."""
    width = Choice(name="width", values=(8, 16, 32, 64, 128), ordered=True)
    space = coordinates(width, LAYERS, constraints=[forbid("width * layers > 128")])
    parameters = space.candidate({"width": 4, "layers": 8}).parameters
    assert parameters["width"] * parameters["layers"] <= 128


def test_a_category_moves_to_the_next_allowed_one():
    """A forbidden category becomes the next allowed one of the list, in a circle."""
    space = coordinates(OPTIMIZER, constraints=[forbid("optimizer != 'Adam'")])
    assert space.candidate({"optimizer": 1}).parameters["optimizer"] == "Adam"


def test_spread_keeps_an_even_cover_even():
    """Mapped onto what is left, even shares of the range stay even shares of what is left."""
    space = coordinates(RATE, constraints=[forbid("rate > 1e-4")])
    axis = space.axes[0]
    values = [
        space.candidate({"rate": axis.at((k + 0.5) / 100)}, Repair.SPREAD).parameters["rate"]
        for k in range(100)
    ]
    below = sum(value < math.sqrt(1e-5 * 1e-4) for value in values)
    assert below == 50


def test_nothing_left_is_broken():
    """Where no value is allowed the candidate says which constraint is broken."""
    space = coordinates(RATE, LAYERS, constraints=[forbid("rate > 0.0 && layers > 4")])
    assert space.candidate({"rate": 1e-3, "layers": 5}).broken == ("rule",)
    assert space.candidate({"rate": 1e-3, "layers": 4}).broken == ()


def test_the_point_of_a_candidate_is_the_repaired_one():
    """The sampler learns where the trial really was."""
    space = coordinates(RATE, constraints=[forbid("rate > 1e-4")])
    assert space.candidate({"rate": 1e-2}).point == {"rate": 1e-4}


def test_a_conditional_parameter_is_there_only_when_its_condition_holds():
    """An inactive parameter has its `otherwise` value, or none, and is not active."""
    when = compile_expression("optimizer == 'SGD'", SCOPE)
    cycles = Integer(name="layers", low=2, high=8, condition=Condition(when, 1))
    bare = Integer(name="width", low=2, high=8, condition=Condition(when))
    space = coordinates(cycles, bare, OPTIMIZER)
    inactive = space.candidate({"layers": 5, "width": 6, "optimizer": 0})
    assert inactive.parameters == {"layers": 1, "optimizer": "Adam"}
    assert inactive.active == {"optimizer"}
    active = space.candidate({"layers": 5, "width": 6, "optimizer": 2})
    assert active.parameters == {"layers": 5, "width": 6, "optimizer": "SGD"}


def test_an_inactive_parameter_is_encoded_as_the_middle_of_its_axis():
    """Its `otherwise` value may lie outside the range: a sampler must never see it."""
    when = compile_expression("optimizer == 'SGD'", SCOPE)
    cycles = Integer(name="layers", low=2, high=8, condition=Condition(when, 0))
    space = coordinates(cycles, OPTIMIZER)
    assert space.encode({"optimizer": "Adam", "layers": 0}) == {"layers": 5, "optimizer": 0}


def test_a_constraint_on_an_inactive_parameter_does_not_apply():
    """Without a value there is nothing to forbid, even where the rest of the clause is true."""
    when = compile_expression("optimizer == 'SGD'", SCOPE)
    width = Integer(name="width", low=2, high=8, condition=Condition(when))
    space = coordinates(width, OPTIMIZER, constraints=[forbid("optimizer == 'Adam' || width > 4")])
    assert space.candidate({"width": 8, "optimizer": 0}).broken == ()


def test_conditions_in_a_circle_are_refused():
    """Two parameters that wait for each other cannot be decided."""
    one = Integer(
        name="layers", low=1, high=8, condition=Condition(compile_expression("width > 4", SCOPE))
    )
    two = Integer(
        name="width", low=1, high=8, condition=Condition(compile_expression("layers > 4", SCOPE))
    )
    with pytest.raises(ValueError, match="circle"):
        coordinates(one, two)


def test_a_stepped_number_has_clean_values():
    """0.25 + 2 x 0.05 is 0.35, as written, not 0.35000000000000003."""
    ratio = Double(name="rate", low=0.25, high=0.9, step=0.05)
    assert ratio.values is not None
    assert ratio.values[2] == 0.35
    assert ratio.values[-1] == 0.9


def test_a_long_stepped_whole_number_keeps_its_steps():
    """A whole number with thousands of values is an index, and constraints cut it cleanly."""
    size = Integer(name="size", low=0, high=1_000_000, step=64)
    space = coordinates(size, constraints=[forbid("size > 1000")])
    assert space.candidate({"size": 15_000}).parameters["size"] == 960


def test_a_soft_constraint_is_named_not_enforced():
    """Soft constraints are left to the coin of the draw."""
    space = coordinates(LAYERS, constraints=[forbid("layers > 4", accept_probability=0.5)])
    candidate = space.candidate({"layers": 8})
    assert candidate.soft == ("rule",)
    assert candidate.broken == ()


@pytest.mark.parametrize(
    "text", ["layers / (width - width) > 2", "layers * 9223372036854775807 > 0"]
)
def test_a_hard_constraint_without_an_answer_forbids(text):
    """Nothing of which it is unknown whether it is allowed is ever launched."""
    width = Integer(name="width", low=2, high=8)
    space = coordinates(LAYERS, width, constraints=[forbid(text)])
    assert space.candidate({"layers": 3, "width": 2}, Repair.NONE).broken == ("rule",)


def test_a_constraint_on_a_derived_value_without_an_answer_forbids():
    """A derived value that cannot be computed hides nothing from the constraints on it."""
    scope = {"layers": Kind.INT}
    size = Derived("size", compile_expression("100 / (layers - 3)", scope))
    space = coordinates(LAYERS, derived=[size], constraints=[forbid("size > 1000")])
    assert space.candidate({"layers": 3}, Repair.NONE).broken == ("rule",)
    assert space.candidate({"layers": 4}, Repair.NONE).broken == ()


def test_a_constraint_that_cannot_be_spelled_is_asked_as_a_whole():
    """A literal too large to write again takes nothing away from the constraint."""
    space = coordinates(RATE, constraints=[forbid("rate < 1e400 && rate > 1e-4")])
    candidate = space.candidate({"rate": 1e-2})
    assert not candidate.broken
    assert candidate.parameters["rate"] == pytest.approx(1e-4)


def test_spread_over_everything_changes_nothing():
    """A constraint that forbids nothing leaves an even cover as it is, also of log numbers."""
    layers = Integer(name="layers", low=1, high=100, log=True)
    space = coordinates(layers, constraints=[forbid("layers > 1000")])
    for value in (1, 2, 51, 65, 100):
        candidate = space.candidate({"layers": value}, Repair.SPREAD)
        assert candidate.parameters["layers"] == value
