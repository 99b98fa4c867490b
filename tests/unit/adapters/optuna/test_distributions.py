"""Parameters are stored under the distributions that Optuna's tools would give them."""

import pytest
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
    json_to_distribution,
)

from kubetune.adapters.optuna.distributions import distribution_json, stored_parameters
from kubetune.domain.space import Choice, Double, Integer, Parameter, Space


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        (Double(name="x", low=0, high=2), FloatDistribution(0, 2)),
        (Double(name="x", low=1e-5, high=1, log=True), FloatDistribution(1e-5, 1, log=True)),
        (Double(name="x", low=0, high=1, step=0.3), FloatDistribution(0, 0.9, step=0.3)),
        (
            Double(name="x", low=1, high=9, step=2, log=True),
            FloatDistribution(1, 9, log=True),
        ),
        (Integer(name="x", low=1, high=8, step=2), IntDistribution(1, 7, step=2)),
        (Integer(name="x", low=1, high=64, step=3, log=True), IntDistribution(1, 64, log=True)),
        (
            Choice(name="x", values=("a", 1, 2.5, True)),
            CategoricalDistribution(("a", 1, 2.5, True)),
        ),
    ],
    ids=["range", "log", "step", "log step", "integer", "log integer", "choice"],
)
def test_is_read_by_optuna(parameter: Parameter, expected: BaseDistribution) -> None:
    """Optuna reads the distribution back as its own, without correcting it."""
    assert json_to_distribution(distribution_json(parameter)) == expected


def test_stores_what_is_active_and_in_range() -> None:
    """Inactive parameters and values outside the range have no column."""
    space = Space(
        parameters=(
            Double(name="x", low=0, high=1),
            Choice(name="kind", values=("a", "b")),
            Integer(name="off", low=0, high=3),
            Integer(name="far", low=0, high=3),
        )
    )
    drawn = {"x": 0.5, "kind": "b", "off": 1, "far": 9}
    stored = stored_parameters(space, frozenset({"x", "kind", "far"}), drawn)
    assert [(item.name, item.value) for item in stored] == [("x", 0.5), ("kind", 1.0)]
