"""Hyperband: rungs lie where Katib's trials would end, and the resource is all of it."""

import pytest

from tests.unit.convert.made import said, spec

RANDOM = ("algorithmName: random", "algorithmName: hyperband")
SEED = '{name: random_state, value: "1"}'


def settings(most: str, factor: str | None) -> tuple[str, str]:
    eta = "" if factor is None else f'\n    - {{name: eta, value: "{factor}"}}'
    lines = f'{{name: resource_name, value: units}}\n    - {{name: r_l, value: "{most}"}}{eta}'
    return SEED, lines


@pytest.mark.parametrize(
    ("most", "factor", "rungs"),
    [
        ("9", "3", [1, 3]),
        ("27", None, [1, 3, 9]),
        ("2", "2", [1]),
        ("10", "3", [1, 3, 9]),
        ("20", "3", [2, 6, 18]),
        ("100", "4", [1, 4, 16, 64]),
        ("8.0", "2.0", [1, 2, 4]),
    ],
)
def test_rungs_lie_where_a_trial_of_katib_s_would_end(most, factor, rungs):
    """From `r_l` down by `eta`; the last one is the end of a whole trial and no rung."""
    pruner = spec(RANDOM, settings(most, factor))["pruner"]
    assert pruner["algorithm"] == "Hyperband"
    step, found = pruner["minResource"], []
    while step < pruner["maxResource"]:
        found.append(step)
        step *= pruner["reductionFactor"]
    assert found == rungs


def test_every_trial_has_the_whole_resource():
    """What Katib's algorithm sets is fixed, whatever its range is, and is no parameter."""
    found = spec(RANDOM, settings("9", "3"))
    assert found["fixed"] == {"units": 9}
    assert [item["name"] for item in found["parameters"]] == ["lr", "optimizer"]
    assert found["sampler"]["algorithm"] == "Random"


def test_without_rungs_there_is_no_pruner():
    """Where `r_l` is below `eta` Katib's trials all run to their end."""
    assert "pruner" not in spec(RANDOM, settings("2", "3"))


def test_a_factor_that_is_no_whole_number_is_rounded_and_said():
    """Rungs need a whole number."""
    assert spec(RANDOM, settings("9", "2.6"))["pruner"]["reductionFactor"] == 3
    (words,) = (line for line in said(RANDOM, settings("9", "2.6")) if "approximated" in line)
    assert "eta 2.6: a whole number is needed: 3 is written" in words


def test_a_study_has_one_pruner():
    """Early stopping beside Hyperband is named, not lost."""
    stopping = ("  resumePolicy: Never\n", "  earlyStopping: {algorithmName: medianstop}\n")
    assert spec(RANDOM, settings("9", "3"), stopping)["pruner"]["algorithm"] == "Hyperband"
    assert any(
        line.startswith("left out: algorithmName: 'medianstop'")
        for line in said(RANDOM, settings("9", "3"), stopping)
    )
