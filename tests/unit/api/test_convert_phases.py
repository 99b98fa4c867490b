"""The course of a study, as written and as the engine gets it."""

import copy
from pathlib import Path

import pytest

from kubetune.api import admission, reader
from kubetune.domain.faults import spell
from kubetune.domain.space import Choice, Double, Integer
from kubetune.domain.study import (
    Budget,
    Finalists,
    Narrow,
    OnFailure,
    Plateau,
    PrunerAlgorithm,
    SamplerAlgorithm,
)

STUDIES = Path(__file__).parent / "studies"
BASE = reader.read(STUDIES / "base.yaml").data
FULL = reader.read(STUDIES / "full.yaml").data


def course(*phases, **sections):
    """The base with these phases and sections."""
    data = copy.deepcopy(BASE)
    data["spec"].update(sections, phases=list(phases))
    return data


def admitted(*phases, **sections):
    """The phases of an admitted study."""
    verdict = admission.check(course(*phases, **sections))
    assert verdict.spec is not None, verdict.faults
    return verdict.spec.phases


def warned(*phases, **sections):
    """The paths of what a study is warned of."""
    verdict = admission.check(course(*phases, **sections))
    assert verdict.faults == ()
    return [spell(warning.path) for warning in verdict.warnings]


def parameter(name="dropout", low=0, high=0.5, **changes):
    """A parameter as written."""
    return {"name": name, "type": "Double", "min": low, "max": high} | changes


def test_the_full_course_arrives():
    """Every field of phases, finals and limits is in the spec, in the order written."""
    spec = admission.check(FULL).spec
    assert spec is not None
    validation, full, wider = spec.phases
    assert [(item.name, item.trials) for item in spec.phases] == [
        ("validation", 10),
        ("full", 40),
        ("wider", 20),
    ]
    assert validation.gate is not None
    assert validation.gate.on_failure is OnFailure.STOP
    assert validation.gate.require.holds({"outcomes": {"usable": 7, "catastrophic": 0}})
    assert full.narrow == Narrow(around_top=5, shrink=0.5)
    assert wider.when is not None
    assert wider.when.text == "outcomes.excellent == 0"
    assert spec.finalists == Finalists(
        top=3, seeds=(1, 2, 3), held_out_metric="test_clip_score", fixed={"max_train_epochs": 20}
    )
    assert spec.plateau == Plateau(trials=10, min_improvement=0.01)
    assert spec.budget == Budget(gpu_hours=200, wall_clock_seconds=259200)


def test_a_phase_adds_its_parameters_to_the_study_s():
    """The whole study stays: its parameters in their order, then those that are new."""
    spec = admission.check(FULL).spec
    assert spec is not None
    names = [item.name for item in spec.space.parameters]
    wider = spec.phases[2].space
    assert [item.name for item in wider.parameters] == [*names, "network_dropout"]
    assert [item.forbid.text for item in wider.constraints] == [
        item.forbid.text for item in spec.space.constraints
    ]
    assert spec.phases[1].space == spec.space


def test_a_phase_replaces_a_parameter_where_it_stands():
    """Order decides how a space is drawn from, so it stays."""
    (phase,) = admitted({"name": "a", "parameters": [parameter("rate", 1e-5, 1.0, scale="Log")]})
    assert phase.space.parameters[0] == Double(name="rate", low=1e-5, high=1.0, log=True)
    assert [item.name for item in phase.space.parameters] == [
        "rate", "units", "optimizer", "momentum",
    ]  # fmt: skip


def test_a_phase_searches_what_is_fixed_elsewhere():
    """The fixed value makes room for the parameter, in this phase alone."""
    first, second = admitted(
        {"name": "a", "trials": 5},
        {"name": "b", "parameters": [{"name": "epochs", "type": "Integer", "min": 5, "max": 20}]},
    )
    assert first.space.fixed == {"epochs": 10, "batch": 32}
    assert second.space.fixed == {"batch": 32}
    assert second.space.parameters[-1] == Integer(name="epochs", low=5, high=20)


def test_a_fixed_whole_number_is_a_number_where_a_phase_searches_numbers():
    """A cluster stores 0.0 as 0, so both mean the same."""
    for zero in (0, 0.0):
        verdict = admission.check(
            course(
                {"name": "a", "trials": 5},
                {"name": "b", "parameters": [parameter()]},
                fixed={"epochs": 10, "batch": 32, "dropout": zero},
                guards=[{"name": "g", "when": "dropout > 0.4 && step > 1.0", "outcome": "Pruned"}],
            )
        )
        assert verdict.faults == ()
        assert verdict.spec is not None
        assert type(verdict.spec.space.fixed["dropout"]) is float
        assert type(verdict.spec.space.fixed["epochs"]) is int


def test_a_constraint_may_speak_of_what_only_a_phase_searches():
    """In the other phases the fixed value keeps it or the study says so."""
    constraint = {"name": "wet", "forbid": "dropout > 0.3"}
    first, second = admitted(
        {"name": "a", "trials": 5},
        {"name": "b", "parameters": [parameter()]},
        fixed={"epochs": 10, "batch": 32, "dropout": 0},
        constraints=[constraint],
    )
    assert [len(item.space.constraints) for item in (first, second)] == [1, 1]


def test_a_condition_may_name_a_value_that_only_its_phase_has():
    """What a list holds is judged where it is drawn from."""
    (phase,) = admitted(
        {
            "name": "a",
            "parameters": [
                {"name": "optimizer", "type": "Categorical", "values": ["adam", "lion"]},
                parameter("beta", when="optimizer == 'lion'"),
            ],
        }
    )
    assert phase.space.parameter("optimizer") == Choice(name="optimizer", values=("adam", "lion"))
    assert phase.space.parameter("momentum").condition is not None


def test_a_phase_draws_and_prunes_as_the_study_unless_it_says_otherwise():
    """Sampler and pruner are replaced whole."""
    plain, own = admitted(
        {"name": "a", "trials": 5},
        {
            "name": "b",
            "sampler": {"algorithm": "Random", "seed": 3},
            "pruner": {"algorithm": "Median"},
        },
    )
    assert (plain.sampler.algorithm, plain.sampler.seed) == (SamplerAlgorithm.TPE, 1)
    assert plain.pruner.algorithm is PrunerAlgorithm.ASHA
    assert (own.sampler.algorithm, own.sampler.seed) == (SamplerAlgorithm.RANDOM, 3)
    assert own.pruner.algorithm is PrunerAlgorithm.MEDIAN


def test_initial_trials_are_points_of_the_study():
    """A first phase that searches less does not refuse the baseline."""
    verdict = admission.check(course({"name": "a", "parameters": [parameter("rate", 1e-4, 1e-3)]}))
    assert verdict.spec is not None, verdict.faults
    assert verdict.spec.initial_trials[0].parameters["rate"] == 0.01


@pytest.mark.parametrize(
    ("phases", "sections", "paths"),
    [
        (
            [{"name": "a", "trials": 15}, {"name": "b", "trials": 15, "narrow": {}}],
            {},
            ["spec.phases"],
        ),
        (
            [{"name": "a", "trials": 20}, {"name": "b", "narrow": {}}],
            {},
            ["spec.phases[1]"],
        ),
        (
            [
                {"name": "a", "trials": 10},
                {"name": "b", "trials": 10, "when": "outcomes.good == 0", "narrow": {}},
                {"name": "c", "narrow": {}},
            ],
            {},
            [],
        ),
        (
            [{"name": "a", "trials": 6}, {"name": "b", "trials": 5, "narrow": {}}],
            {"stopping": {"plateau": {"trials": 6}}},
            ["spec.stopping.plateau"],
        ),
        ([{"name": "a"}], {"stopping": {"plateau": {"trials": 19}}}, []),
        ([], {"stopping": {"plateau": {"trials": 20}}}, ["spec.stopping.plateau"]),
        ([], {"stopping": {"budget": {"gpuHours": 5}}}, ["spec.stopping.budget.gpuHours"]),
        ([], {"stopping": {"budget": {"wallClockSeconds": 5}}}, []),
        (
            [{"name": "a", "sampler": {"algorithm": "Random", "startupTrials": 3}}],
            {},
            ["spec.phases[0].sampler.startupTrials"],
        ),
        (
            [{"name": "a", "pruner": {"algorithm": "Median", "reductionFactor": 2}}],
            {},
            ["spec.phases[0].pruner.reductionFactor"],
        ),
    ],
    ids=[
        "more than there are",
        "no turn",
        "a turn after a phase that is left out",
        "a plateau longer than every phase",
        "a plateau that can be reached",
        "a plateau longer than the study",
        "GPU hours without a GPU",
        "seconds",
        "a sampler's idle field",
        "a pruner's idle field",
    ],
)
def test_what_has_no_effect_is_warned_of_and_admitted(phases, sections, paths):
    """Nothing of a course is idle without a word; raising trials.max later may give it a turn."""
    assert warned(*phases, **sections) == paths
