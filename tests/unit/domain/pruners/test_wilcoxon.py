"""Wilcoxon: the test's p and the rules around it."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from kubetune.domain.pruners.wilcoxon import EXACT_LIMIT, p_value, wilcoxon
from kubetune.domain.study import Pruner, PrunerAlgorithm
from tests.builders import make_field, make_points, make_study, make_trial

BEST = make_trial(7, 0.9, curve=make_points(0.9, 0.8, 0.7, 0.9, 0.85))
WORSE = (0.5, 0.41, 0.32, 0.53, 0.44)


def judge(*values, best=BEST, **changes):
    settings_ = {"startup_trials": 1} | changes
    spec = make_study(pruner=Pruner(algorithm=PrunerAlgorithm.WILCOXON, **settings_))
    trial = make_trial(1, curve=make_points(*values))
    return wilcoxon(spec, trial, make_field(spec, trial, [best]))


def test_a_trial_that_is_worse_everywhere_is_cut():
    """Five of five steps worse: p = 1/32; the sentence names the best trial and both means."""
    assert judge(*WORSE) == (
        "worse than best trial 7 at 5 shared steps (p = 0.0312 < 0.1; mean 0.44 against 0.83)"
    )


@pytest.mark.parametrize(
    ("values", "changes"),
    [
        (WORSE, {"startup_trials": 2}),
        (WORSE, {"warmup_steps": 6}),
        (WORSE, {"p_threshold": 0.03}),
        (WORSE[:1], {"p_threshold": 1.0}),
        ((0.5, math.nan, 0.3, 0.5, 0.4), {}),
        ((0.89, 0.79, 0.69, 0.89, 99.0), {"p_threshold": 1.0}),
        (WORSE, {"best": make_trial(7, 0.9)}),
        (WORSE, {"best": make_trial(7)}),
    ],
    ids=["startup", "warmup", "threshold", "one step", "nan", "mean", "no curve", "no best"],
)
def test_it_holds_back_when_the_case_is_weak(values, changes):
    """Too few trials or steps, a p above the bound, NaN, a better mean, nothing to compare."""
    assert judge(*values, **changes) is None


@given(st.lists(st.integers(-4, 6).map(float), min_size=2, max_size=7))
@settings(max_examples=25)
def test_p_is_exact_with_ties_and_zeros(differences):
    """Few differences, many of them equal: the same p as scipy's permutation test."""
    theirs = stats.wilcoxon(differences, alternative="greater", zero_method="zsplit").pvalue
    assert p_value(differences) == pytest.approx(theirs, abs=1e-12)


@given(st.integers(1, EXACT_LIMIT), st.randoms(use_true_random=False))
def test_p_is_exact_without_ties(count, random):
    """Distinct differences: the same p as scipy's exact distribution."""
    sizes = random.sample(range(1, 1000), count)
    differences = [size * random.choice((-1.0, 1.0, 1.0)) for size in sizes]
    theirs = stats.wilcoxon(differences, alternative="greater", zero_method="zsplit").pvalue
    assert p_value(differences) == pytest.approx(theirs, abs=1e-12)


@given(st.lists(st.integers(-9, 12).map(float), min_size=EXACT_LIMIT + 1, max_size=90))
def test_p_is_normal_for_many(differences):
    """More differences than can be counted out: scipy's corrected normal approximation."""
    theirs = stats.wilcoxon(differences, alternative="greater", zero_method="zsplit").pvalue
    assert p_value(differences) == pytest.approx(theirs, abs=1e-12)


def test_all_zeros_are_no_evidence():
    """Two equal curves of any length: half of all chances, or all of them."""
    assert p_value([0.0] * 5) == 1.0
    assert p_value([0.0] * 99) == 0.5
