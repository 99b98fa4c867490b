"""Each algorithm's settings reach its sampler, and each axis its distribution."""

import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.samplers import BaseSampler

from kubetune.adapters.optuna.samplers import distribution, joint_space, sampler_for
from kubetune.domain.coordinates import Coordinates
from kubetune.domain.sampling import SETTINGS
from kubetune.domain.space import Choice, Double, Space
from kubetune.domain.study import Direction, Objective, Sampler, SamplerAlgorithm, StudySpec
from tests.builders import ACCURACY, make_study
from tests.unit.adapters.optuna.studies import MIXED, study

MODELS = (
    SamplerAlgorithm.TPE,
    SamplerAlgorithm.CMAES,
    SamplerAlgorithm.NSGAII,
    SamplerAlgorithm.NSGAIII,
)
EXAMPLES = {bool: False, int: 7, float: 0.5}


def _joint(spec: StudySpec) -> set[str]:
    axes = Coordinates(spec.space).axes
    return set(joint_space(spec, {axis.name: distribution(axis) for axis in axes}))


def test_every_algorithm_has_settings() -> None:
    """The table of settings covers every algorithm."""
    assert set(SETTINGS) == set(SamplerAlgorithm)


@pytest.mark.parametrize(
    ("algorithm", "name"),
    [(algorithm, name) for algorithm in MODELS for name in SETTINGS[algorithm]],
)
def test_takes_each_setting(algorithm: SamplerAlgorithm, name: str) -> None:
    """Every setting in the table is one that the sampler's constructor knows."""
    value = EXAMPLES[SETTINGS[algorithm][name]]
    spec = make_study(sampler=Sampler(algorithm=algorithm, settings={name: value}))
    assert isinstance(sampler_for(spec, 1), BaseSampler)


def test_axes_have_their_distributions() -> None:
    """An axis has one distribution, that of its kind."""
    found = {axis.name: distribution(axis) for axis in Coordinates(MIXED).axes}
    assert found == {
        "x": FloatDistribution(0, 1),
        "rate": FloatDistribution(1e-4, 1, log=True),
        "n": IntDistribution(1, 9),
        "kind": CategoricalDistribution((0, 1, 2)),
        "extra": IntDistribution(0, 2),
    }


def test_tpe_models_all_axes_jointly() -> None:
    """With one objective, TPE models every axis that has more than one value."""
    assert _joint(study()) == {"x", "rate", "n", "kind", "extra"}


def test_tpe_models_axes_alone_with_several_objectives() -> None:
    """With several objectives TPE models axis by axis, as Optuna does, unless told otherwise."""
    cost = Objective(metric="cost", direction=Direction.MINIMIZE)
    assert _joint(study(objectives=(ACCURACY, cost))) == set()
    sampler = Sampler(settings={"multivariate": True})
    assert len(_joint(study(objectives=(ACCURACY, cost), sampler=sampler))) == 5


def test_cmaes_models_ordered_axes_only() -> None:
    """CMA-ES knows no categories and no single dimension; those are drawn at random."""
    assert _joint(study(SamplerAlgorithm.CMAES)) == {"x", "rate", "n", "extra"}
    lone = Space(parameters=(Double(name="x", low=0, high=1), Choice(name="c", values=("a", "b"))))
    assert _joint(study(SamplerAlgorithm.CMAES, space=lone)) == set()
