"""What stands in the manifest is what the engine gets."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetune.api import admission, convert
from kubetune.api.compiling import negated
from kubetune.api.convert_space import cast, kind_of_values
from kubetune.api.v1alpha1.pruner import Pruner as WirePruner
from kubetune.api.v1alpha1.sampler import Sampler as WireSampler
from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.space import Choice, Double, Integer
from kubetune.domain.study import (
    MetricQuery,
    Patience,
    Pruner,
    PrunerAlgorithm,
    Sampler,
    SamplerAlgorithm,
)


def study(**changes):
    """A small study as plain data."""
    spec = {
        "objectives": [{"metric": "loss", "direction": "Minimize"}],
        "parameters": [{"name": "x", "type": "Double", "min": 0, "max": 1}],
        "trials": {"max": 3},
        "trialTemplate": {"spec": {"containers": [{"name": "trainer", "args": ["a"]}]}},
    }
    return {
        "apiVersion": "kubetune.io/v1alpha1",
        "kind": "TuningStudy",
        "metadata": {"name": "s"},
        "spec": {**spec, **changes},
    }


def space_of(**changes):
    """The space of an admitted study."""
    verdict = admission.check(study(**changes))
    assert verdict.spec is not None, verdict.faults
    return verdict.spec.space


@pytest.mark.parametrize(
    ("wire", "parameter"),
    [
        (
            {"type": "Double", "min": 1, "max": 2, "scale": "Log"},
            Double(name="x", low=1.0, high=2.0, log=True),
        ),
        (
            {"type": "Double", "min": 0, "max": 0.15, "step": 0.05},
            Double(name="x", low=0.0, high=0.15, step=0.05),
        ),
        (
            {"type": "Integer", "min": 1, "max": 9.0, "step": 2},
            Integer(name="x", low=1, high=9, step=2),
        ),
        (
            {"type": "Integer", "values": [256, 64, 128.0]},
            Choice(name="x", values=(64, 128, 256), ordered=True),
        ),
        (
            {"type": "Double", "values": [1, 0.5]},
            Choice(name="x", values=(0.5, 1.0), ordered=True),
        ),
        ({"type": "Categorical", "values": ["b", "a"]}, Choice(name="x", values=("b", "a"))),
        ({"type": "Categorical", "values": [True, False]}, Choice(name="x", values=(True, False))),
        ({"type": "Categorical", "values": [1, 0.5]}, Choice(name="x", values=(1.0, 0.5))),
    ],
)
def test_a_parameter_becomes_its_domain_type(wire, parameter):
    """Bounds and values get the parameter's kind; lists of numbers are in order."""
    (found,) = space_of(parameters=[{"name": "x", **wire}]).parameters
    assert found == parameter
    values = getattr(found, "values", None) or ()
    assert [type(value) for value in values] == [
        type(value) for value in getattr(parameter, "values", None) or ()
    ]


def test_a_requirement_is_stored_as_its_opposite():
    """The domain knows only what is forbidden."""
    space = space_of(constraints=[{"name": "low", "require": "x < 0.5 || x > 0.9"}])
    forbid = space.constraints[0].forbid
    assert forbid.holds({"x": 0.7})
    assert not forbid.holds({"x": 0.1})


@given(st.sampled_from(["x > 1", "x > 1 // why", "x > 1 || x < 0", "!(x > 1)"]), st.integers(-3, 3))
def test_negation_is_the_opposite(text, x):
    """For every text and value, comments and precedence included."""
    scope = {"x": Kind.INT}
    held = compile_expression(text, scope).holds({"x": x})
    assert compile_expression(negated(text), scope).holds({"x": x}) is not held


def test_a_constraint_with_a_probability_is_soft():
    """`acceptProbability` above zero softens, zero or none does not."""
    space = space_of(
        constraints=[
            {"name": "soft", "forbid": "x > 0.5", "acceptProbability": 0.3},
            {"name": "hard", "forbid": "x > 0.9", "acceptProbability": 0},
        ]
    )
    assert [(item.name, item.hard) for item in space.constraints] == [
        ("soft", False),
        ("hard", True),
    ]


def test_derived_values_see_those_before_them():
    """Each derived value's kind is known to the next."""
    space = space_of(
        derived=[
            {"name": "half", "value": "x / 2.0"},
            {"name": "small", "value": "half < 0.1"},
        ]
    )
    assert [item.value.kind for item in space.derived] == [Kind.DOUBLE, Kind.BOOL]


def test_what_is_not_given_keeps_the_domain_defaults():
    """Defaults are declared once, in the domain."""
    assert convert.sampler(WireSampler()) == Sampler()
    assert convert.pruner(WirePruner()) == Pruner()
    verdict = admission.check(study())
    assert verdict.spec is not None
    assert verdict.spec.namespace == "default"
    assert verdict.spec.keep_checkpoints is None
    assert verdict.spec.trials.disruption_retries == 3


def test_sampler_and_pruner_keep_what_is_given():
    """Every field arrives, zero included."""
    wire = WireSampler.model_validate(
        {"algorithm": "QMC", "seed": 0, "startupTrials": 0, "settings": {"scramble": False}}
    )
    assert convert.sampler(wire) == Sampler(
        algorithm=SamplerAlgorithm.QMC, seed=0, startup_trials=0, settings={"scramble": False}
    )
    pruner = WirePruner.model_validate(
        {
            "algorithm": "Wilcoxon",
            "pThreshold": 0.2,
            "warmupSteps": 2,
            "patience": {"evaluations": 3},
        }
    )
    assert convert.pruner(pruner) == Pruner(
        algorithm=PrunerAlgorithm.WILCOXON,
        p_threshold=0.2,
        warmup_steps=2,
        patience=Patience(evaluations=3),
    )


def test_the_template_arrives_as_written():
    """The pod template is plain data, unknown fields and their spelling kept."""
    template = {
        "metadata": {"labels": {"a": "b"}},
        "spec": {
            "restartPolicy": "Never",
            "containers": [{"name": "trainer", "args": ["a"], "resources": {"limits": {"cpu": 1}}}],
        },
    }
    verdict = admission.check(study(trialTemplate=template))
    assert verdict.spec is not None
    assert verdict.spec.template == template


SCALARS = st.one_of(st.booleans(), st.integers(-9, 9), st.floats(-9, 9), st.text(max_size=3))


@given(st.lists(SCALARS, min_size=1, max_size=5))
def test_values_of_one_kind_can_be_cast_to_it(values):
    """The kind of a list is one that each of its values can take."""
    kind = kind_of_values(values)
    if kind is not None:
        assert [cast(value, kind) for value in values] == values


def test_a_trial_waits_an_hour_for_its_node_unless_told_otherwise():
    """A trial that nothing can run does not hold its slot for ever."""
    for trials, seconds in (({"max": 3}, 3600.0), ({"max": 3, "pendingTimeoutSeconds": 5}, 5.0)):
        spec = admission.check(study(trials=trials)).spec
        assert spec is not None
        assert spec.trials.pending_timeout_seconds == seconds


def test_queries_arrive_as_written():
    """The text of a query belongs to the user; it is rewritten only where it is asked."""
    query = {"name": "gpu_use", "promQL": "avg(DCGM_FI_DEV_GPU_UTIL)"}
    spec = admission.check(study(metrics={"queries": [query]})).spec
    assert spec is not None
    assert spec.metric_queries == (MetricQuery(name="gpu_use", promql="avg(DCGM_FI_DEV_GPU_UTIL)"),)
