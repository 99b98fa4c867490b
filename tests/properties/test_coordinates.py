"""Laws of the space that hold for every space and every point."""

from hypothesis import given, settings
from hypothesis import strategies as st

from kubetune.domain.axes import axis, coordinate_of, value_at
from kubetune.domain.coordinates import Coordinates, Repair
from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.space import Choice, Constraint, Double, Integer, Parameter, Space

SCOPE = {"a": Kind.DOUBLE, "b": Kind.INT, "c": Kind.INT, "d": Kind.STRING, "e": Kind.DOUBLE}
CLAUSES = {
    "a": ["a > 0.3", "a < 0.05", "a * 2.0 >= 0.9", "a * a - 0.2 * a < 0.01"],
    "b": ["b > 3", "b < 9", "b * b > 50", "b % 3 == 0"],
    "c": ["c >= 16", "c in [4, 8]", "c != 2", "c * b > 64"],
    "d": ["d == 'x'", "d in ['y', 'z']", "d != 'z'"],
    "e": ["e > 2.5", "e + a < 1.0", "e == 1.5", "double(b) / e > 6.0"],
}
ATOMS = [clause for clauses in CLAUSES.values() for clause in clauses]


@st.composite
def spaces(draw: st.DrawFn) -> Space:
    parameters: tuple[Parameter, ...] = (
        Double(name="a", low=0.01, high=1.0, log=draw(st.booleans())),
        Integer(name="b", low=1, high=draw(st.sampled_from([12, 2000])), log=draw(st.booleans())),
        Choice(name="c", values=(2, 4, 8, 16, 32), ordered=True),
        Choice(name="d", values=("x", "y", "z")),
        Double(name="e", low=0.5, high=3.0, step=draw(st.sampled_from([None, 0.5]))),
    )
    rules = draw(st.lists(st.lists(st.sampled_from(ATOMS), min_size=1, max_size=3), max_size=4))
    constraints = tuple(
        Constraint(name=f"rule{k}", forbid=compile_expression(" && ".join(rule), SCOPE))
        for k, rule in enumerate(rules)
    )
    return Space(parameters=parameters, constraints=constraints)


units = st.lists(st.floats(0, 0.999999), min_size=5, max_size=5)


@settings(deadline=None, max_examples=150)
@given(spaces(), units, st.sampled_from(list(Repair)))
def test_broken_is_exactly_what_the_constraints_say(space, shares, repair):
    """No repair can smuggle a forbidden combination through, nor slander an allowed one."""
    coordinates = Coordinates(space)
    point = {a.name: a.at(u) for a, u in zip(coordinates.axes, shares, strict=True)}
    candidate = coordinates.candidate(point, repair)
    said = {item.name for item in space.constraints if item.forbid.holds(candidate.parameters)}
    assert set(candidate.broken) == said


@settings(deadline=None, max_examples=150)
@given(spaces(), units)
def test_a_feasible_point_is_left_alone(space, shares):
    """Repair moves only what is forbidden."""
    coordinates = Coordinates(space)
    point = {a.name: a.at(u) for a, u in zip(coordinates.axes, shares, strict=True)}
    untouched = coordinates.candidate(point, Repair.NONE)
    if not untouched.broken:
        assert coordinates.candidate(point).parameters == untouched.parameters


@settings(deadline=None, max_examples=150)
@given(spaces(), units, st.sampled_from([Repair.NEAREST, Repair.SPREAD]))
def test_a_candidate_and_its_point_are_the_same_place(space, shares, repair):
    """The point encodes the parameters exactly, and decodes to them again."""
    coordinates = Coordinates(space)
    point = {a.name: a.at(u) for a, u in zip(coordinates.axes, shares, strict=True)}
    candidate = coordinates.candidate(point, repair)
    assert coordinates.encode(candidate.parameters) == candidate.point
    assert coordinates.candidate(candidate.point, Repair.NONE).parameters == candidate.parameters


@settings(deadline=None, max_examples=100)
@given(spaces(), units)
def test_every_value_lies_in_its_range(space, shares):
    """Whatever is drawn is a value of its parameter."""
    coordinates = Coordinates(space)
    point = {a.name: a.at(u) for a, u in zip(coordinates.axes, shares, strict=True)}
    parameters = coordinates.candidate(point, Repair.SPREAD).parameters
    for parameter in space.parameters:
        value = parameters[parameter.name]
        assert value_at(parameter, coordinate_of(parameter, value)) == value
        if not isinstance(parameter, Choice):
            assert parameter.low <= value <= parameter.high


@given(st.floats(0, 0.999999), st.booleans())
def test_an_axis_gives_coordinates_inside_it(unit, log):
    """A share in [0, 1) of an axis is a coordinate of it."""
    for parameter in (
        Double(name="x", low=1e-6, high=1e-1, log=log),
        Integer(name="x", low=1, high=1000, log=log),
        Choice(name="x", values=("p", "q", "r")),
    ):
        item = axis(parameter)
        assert item.low <= item.at(unit) <= item.high
