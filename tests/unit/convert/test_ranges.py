"""Ranges: what Katib's text and distributions become."""

import pytest

from tests.unit.convert.made import changed, said, spec

DOUBLE = 'min: "0.01", max: "0.05", step: "0.01"'
INT = 'min: "16", max: "64"'
GRID = ("algorithmName: random", "algorithmName: grid")


def double(text, *more):
    return next(item for item in spec((DOUBLE, text), *more)["parameters"] if item["name"] == "lr")


def whole(text, *more):
    return next(item for item in spec((INT, text), *more)["parameters"] if item["name"] == "units")


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ('min: "0.01", max: "0.05"', {"min": 0.01, "max": 0.05}),
        ("min: 0.01, max: 5e-2", {"min": 0.01, "max": 0.05}),
        ('min: "-1", max: " 1e3 "', {"min": -1, "max": 1000}),
        ('min: "0", max: "0.3", step: "0.1"', {"min": 0, "max": 0.3, "step": 0.1}),
        ('min: "0", max: "1", step: "0.4"', {"min": 0, "max": 0.8, "step": 0.4}),
        ('min: "0", max: "1", step: "2"', {"min": 0, "max": 1}),
        ('min: "0", max: "1", step: "0.00001"', {"min": 0, "max": 1}),
        ('min: "1", max: "9", distribution: logUniform', {"min": 1, "max": 9, "scale": "Log"}),
        ('min: "1", max: "9", distribution: unknown', {"min": 1, "max": 9}),
        (
            'min: "1", max: "9", step: "1", distribution: logNormal',
            {"min": 1, "max": 9, "scale": "Log"},
        ),
    ],
)
def test_a_double(text, wire):
    """Bounds are exact; a step that reaches nothing, or too much, is left out."""
    assert double(text) == {"name": "lr", "type": "Double", **wire}


@pytest.mark.parametrize(
    ("text", "wire"),
    [
        ('min: "16.0", max: "6.4e1"', {"min": 16, "max": 64}),
        ('min: "1", max: "9", step: "1", distribution: logUniform', {"scale": "Log"}),
        ('min: "1", max: "9", step: "2", distribution: logUniform', {"step": 2}),
        ('min: "1", max: "9", step: "3"', {"max": 7, "step": 3}),
        ('min: "1", max: "1000000", step: "1"', {"max": 1_000_000}),
        ('min: "1", max: "1000000", step: "2"', {"max": 1_000_000}),
    ],
)
def test_a_whole_number(text, wire):
    """Its step is kept before its scale: a batch size of 16, 32, 48 is none of 17."""
    found = whole(text)
    assert {name: found.get(name) for name in wire} == wire
    assert all(isinstance(found[name], int) for name in ("min", "max"))


@pytest.mark.parametrize("distribution", ["normal", "logNormal"])
def test_a_bell_is_approximated_and_said(distribution):
    """The whole range is drawn alike, which is said beside the parameter."""
    text = f'min: "0.01", max: "0.05", distribution: {distribution}'
    found = changed((DOUBLE, text))
    assert not found.lossless
    assert found.text is not None
    assert f"# approximated: distribution: {distribution}: Katib draws around" in found.text


def test_a_grid_keeps_its_steps():
    """It visits every value and draws by no distribution."""
    found = double(f"{DOUBLE}, distribution: logUniform", GRID)
    assert found["step"] == 0.01
    assert "scale" not in found


def test_a_grid_without_steps_takes_some_values():
    """Else a study would not know how many."""
    found = spec((DOUBLE, 'min: "0.01", max: "0.05"'), GRID)
    assert found["sampler"]["settings"] == {"points": 5}


@pytest.mark.parametrize("text", ['min: "32", max: "32"', 'min: "32", max: "32", step: "1"'])
def test_a_range_of_one_value_is_fixed(text):
    """A parameter that never changes is none."""
    assert spec((INT, text))["fixed"] == {"units": 32}


def test_a_field_of_another_type_is_named():
    """What Katib refuses or ignores is not taken over in silence."""
    assert said((INT, f"{INT}, list: [a]")) == [
        "left out: list: a parameter of type int has no list: nothing to do"
    ]


def test_what_is_said_of_a_fixed_value_stands_beside_it():
    """And not beside the parameter that comes after."""
    text = changed(("parameterType: int", "parameterType: discrete"), (INT, "list: [1, 1]")).text
    assert text is not None
    lines = text.splitlines()
    at = lines.index("  fixed: {units: 1}")
    assert lines[at - 2] == "  # units: one value, so it is fixed"
    assert lines[at - 1].startswith("  # units: approximated: list: a value stands there twice")
