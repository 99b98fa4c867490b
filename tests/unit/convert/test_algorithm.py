"""Samplers: which setting goes where, and what is said of those that have no place."""

import pytest

from tests.unit.convert.made import said, spec

NAME = "algorithmName: random"
SETTING = '{name: random_state, value: "1"}'


def sampler(name, setting=SETTING, *more):
    return spec((NAME, f"algorithmName: {name}"), (SETTING, setting), *more)["sampler"]


@pytest.mark.parametrize(
    ("name", "setting", "wire"),
    [
        ("random", SETTING, {"algorithm": "Random", "seed": 1}),
        ("grid", SETTING, {"algorithm": "Grid", "seed": 1}),
        ("cmaes", SETTING, {"algorithm": "CMAES", "seed": 1}),
        ("bayesianoptimization", "{name: n_initial_points, value: 4}",
         {"algorithm": "GP", "startupTrials": 4}),
        ("multivariate-tpe", "{name: startup_trials, value: '6'}",
         {"algorithm": "TPE", "startupTrials": 6, "settings": {"constant_liar": True}}),
        ("multivariate-tpe", "{name: ei_candidates, value: '12'}",
         {"algorithm": "TPE", "settings": {"constant_liar": True, "n_ei_candidates": 12}}),
        ("tpe", "{name: n_EI_candidates, value: '12'}",
         {"algorithm": "TPE", "startupTrials": 2,
          "settings": {"multivariate": False, "n_ei_candidates": 12}}),
        ("our-own", SETTING, {"algorithm": "TPE", "seed": 1}),
    ],
)  # fmt: skip
def test_a_setting_has_its_place(name, setting, wire):
    """Names of earlier versions of Katib too."""
    assert sampler(name, setting) == wire


@pytest.mark.parametrize(
    ("name", "setting"),
    [
        ("cmaes", "{name: restart_strategy, value: none}"),
        ("bayesianoptimization", "{name: base_estimator, value: GP}"),
        ("bayesianoptimization", "{name: acq_func, value: EI}"),
        ("bayesianoptimization", "{name: acq_optimizer, value: auto}"),
    ],
)
def test_a_setting_that_changes_nothing_is_not_named(name, setting):
    """What a study does anyway is no loss."""
    lines = said((NAME, f"algorithmName: {name}"), (SETTING, setting))
    assert not [line for line in lines if line.startswith("left out")]


@pytest.mark.parametrize(
    ("name", "setting", "words"),
    [
        ("tpe", "{name: gamma, value: '0.2'}", "gamma '0.2': TPE takes the best tenth"),
        ("cmaes", "{name: sigma, value: '2'}", "sigma '2': CMAES starts with"),
        ("sobol", "{name: random_state, value: '2'}", "sobol has no such setting: nothing to do"),
        ("random", "{name: randomstate, value: '2'}", "did you mean 'random_state'?"),
    ],
)
def test_a_setting_without_a_place_is_named_with_its_value(name, setting, words):
    """And with what to do instead."""
    lines = said((NAME, f"algorithmName: {name}"), (SETTING, setting))
    assert any(line.startswith("left out: value: ") and words in line for line in lines)


def test_a_misspelt_algorithm_is_told_what_it_may_mean():
    """It is converted as one of the user's own, for it may be one."""
    (line,) = said((NAME, "algorithmName: bayesoptimization"))
    assert line.endswith("did you mean 'bayesianoptimization'?")
