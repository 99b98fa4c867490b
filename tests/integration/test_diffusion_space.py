"""Nine constraints over nine parameters, with every sampler: none broken, soft ones seldom met."""

from collections import Counter
from dataclasses import replace

import pytest

from bench.studies import load
from kubetune.domain.study import Sampler, SamplerAlgorithm
from tests.draws import draws, without_soft

DRAWS = 10_000
BASELINE = 3_000
SAMPLERS = [
    algorithm for algorithm in SamplerAlgorithm if algorithm is not SamplerAlgorithm.GP
]  # it needs torch: tests/gp has it


@pytest.mark.timeout(1200)
@pytest.mark.parametrize("algorithm", SAMPLERS)
def test_no_draw_breaks_a_hard_constraint_and_few_meet_a_soft_one(algorithm):
    """10,000 draws hold no forbidden one; soft ones are three times rarer than without the rule."""
    settings = {"points": 7} if algorithm.value in {"Grid", "BruteForce"} else {}
    sampler = Sampler(algorithm=algorithm, seed=7, startup_trials=10, settings=settings)
    spec = replace(load("w0.yaml"), sampler=sampler)
    hard = [item for item in spec.space.constraints if item.hard]
    soft = [item for item in spec.space.constraints if not item.hard]
    with_rule: Counter[str] = Counter()
    for candidate in draws(spec, DRAWS):
        assert not [item.name for item in hard if item.forbid.holds(candidate.parameters)]
        with_rule.update(item.name for item in soft if item.forbid.holds(candidate.parameters))
    without_rule: Counter[str] = Counter()
    for candidate in draws(without_soft(spec), BASELINE):
        without_rule.update(item.name for item in soft if item.forbid.holds(candidate.parameters))
    for item in soft:
        assert without_rule[item.name] > 0
        assert 3 * with_rule[item.name] / DRAWS <= without_rule[item.name] / BASELINE
