"""One of Optuna's samplers, fresh for one draw: it carries nothing over but what is stored."""

import warnings
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.samplers import BaseSampler

from kubetune.domain.axes import Axis, AxisKind
from kubetune.domain.study import SamplerAlgorithm, StudySpec

optuna.logging.set_verbosity(optuna.logging.ERROR)

REMEMBERING = frozenset({SamplerAlgorithm.CMAES, SamplerAlgorithm.NSGAII, SamplerAlgorithm.NSGAIII})
"""Samplers that keep their state in attributes of the trials and must find it again."""


class RepeatingTPE(optuna.samplers.TPESampler):
    """TPE that fits its densities once for all proposals of one draw.

    A proposal that a constraint turns down is followed by another over the same history; what is
    fitted is the same, and fitting is nearly all of the cost. Densities: Bergstra et al. 2011,
    jointly over all axes as in Watanabe 2023.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._fitted: dict[tuple[bool, tuple[str, ...]], Any] = {}

    def _build_parzen_estimator(
        self,
        study: Any,
        search_space: dict[str, Any],
        trials: list[Any],
        handle_below: bool,  # noqa: FBT001 - Optuna's signature
    ) -> Any:
        key = (handle_below, tuple(search_space))
        if key not in self._fitted:
            self._fitted[key] = super()._build_parzen_estimator(
                study, search_space, trials, handle_below
            )
        return self._fitted[key]


def distribution(axis: Axis) -> BaseDistribution:
    """The distribution of an axis: a function of the space alone."""
    match axis.kind:
        case AxisKind.CATEGORY:
            return CategoricalDistribution(range(axis.size))
        case AxisKind.INT:
            return IntDistribution(int(axis.low), int(axis.high), log=axis.log)
        case _:
            return FloatDistribution(axis.low, axis.high, log=axis.log)


def joint_space(
    spec: StudySpec, distributions: dict[str, BaseDistribution]
) -> dict[str, BaseDistribution]:
    """What the algorithm models jointly, in order of name; the rest is drawn one by one.

    TPE with several objectives fits each axis alone unless `multivariate` is set, as Optuna does.
    CMA-ES knows neither categories nor a single dimension.
    """
    algorithm = spec.sampler.algorithm
    if algorithm is SamplerAlgorithm.TPE and not _multivariate(spec):
        return {}
    joint = {name: item for name, item in sorted(distributions.items()) if not item.single()}
    if algorithm is SamplerAlgorithm.CMAES:
        joint = {
            name: item
            for name, item in joint.items()
            if not isinstance(item, CategoricalDistribution)
        }
        return joint if len(joint) > 1 else {}
    return joint


def sampler_for(spec: StudySpec, seed: int) -> BaseSampler:
    """A sampler for one draw."""
    sampler = spec.sampler
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    arguments: dict[str, Any] = {"seed": seed, **sampler.settings}
    match sampler.algorithm:
        case SamplerAlgorithm.TPE:
            arguments["multivariate"] = _multivariate(spec)
            return RepeatingTPE(n_startup_trials=sampler.startup_trials, **arguments)
        case SamplerAlgorithm.GP:
            return optuna.samplers.GPSampler(
                n_startup_trials=sampler.startup_trials,
                warn_independent_sampling=False,
                **arguments,
            )
        case SamplerAlgorithm.CMAES:
            return optuna.samplers.CmaEsSampler(
                n_startup_trials=max(sampler.startup_trials, 1),
                warn_independent_sampling=False,
                **arguments,
            )
        case SamplerAlgorithm.NSGAII:
            return optuna.samplers.NSGAIISampler(**arguments)
        case SamplerAlgorithm.NSGAIII:
            return optuna.samplers.NSGAIIISampler(**arguments)
        case _:
            raise AssertionError(f"{sampler.algorithm} needs no model")


def _multivariate(spec: StudySpec) -> bool:
    return bool(spec.sampler.settings.get("multivariate", len(spec.objectives) == 1))
