"""What each sampling algorithm can be told, as plain data for admission and for the samplers."""

from collections.abc import Mapping

from kubetune.domain.study import SamplerAlgorithm

SETTINGS: Mapping[SamplerAlgorithm, Mapping[str, type]] = {
    SamplerAlgorithm.TPE: {"n_ei_candidates": int, "multivariate": bool, "constant_liar": bool},
    SamplerAlgorithm.GP: {"deterministic_objective": bool},
    SamplerAlgorithm.RANDOM: {},
    SamplerAlgorithm.GRID: {"points": int},
    SamplerAlgorithm.BRUTE_FORCE: {"points": int},
    SamplerAlgorithm.QMC: {"scramble": bool},
    SamplerAlgorithm.CMAES: {
        "popsize": int,
        "with_margin": bool,
        "use_separable_cma": bool,
        "lr_adapt": bool,
        "consider_pruned_trials": bool,
    },
    SamplerAlgorithm.NSGAII: {
        "population_size": int,
        "mutation_prob": float,
        "crossover_prob": float,
        "swapping_prob": float,
    },
    SamplerAlgorithm.NSGAIII: {
        "population_size": int,
        "mutation_prob": float,
        "crossover_prob": float,
        "swapping_prob": float,
        "dividing_parameter": int,
    },
}
"""Names and types allowed in `sampler.settings`, by algorithm.

`points` (default 5) is the number of values that Grid and BruteForce take of a parameter without
a step. All others are the constructor arguments of the same name of Optuna's samplers.
"""

SINGLE_OBJECTIVE: frozenset[SamplerAlgorithm] = frozenset({SamplerAlgorithm.CMAES})
"""Algorithms that refuse more than one objective."""
