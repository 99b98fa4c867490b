"""Good manifests pass whole."""

import copy
from pathlib import Path

import pytest

from kubetune.api import admission, reader
from kubetune.domain.expressions import Kind
from kubetune.domain.faults import spell

STUDIES = Path(__file__).parent / "studies"
EXAMPLES = sorted((Path(__file__).parents[3] / "examples").glob("*/study.yaml"))
FULL = reader.read(STUDIES / "full.yaml").data
BASE = reader.read(STUDIES / "base.yaml").data


def changed(**sections):
    """The base with whole sections of its spec replaced; None takes one out."""
    data = copy.deepcopy(BASE)
    data["spec"].update(sections)
    data["spec"] = {name: value for name, value in data["spec"].items() if value is not None}
    return data


def test_the_full_study_is_admitted():
    """Everything that is supported, in one manifest, has no faults and no warnings."""
    verdict = admission.check(FULL)
    assert verdict.faults == ()
    assert verdict.warnings == ()
    assert verdict.spec is not None
    assert verdict.feasibility is not None
    assert 0.5 < verdict.feasibility.share < 1


@pytest.mark.parametrize("path", EXAMPLES, ids=[path.parent.name for path in EXAMPLES])
def test_every_example_is_admitted(path):
    """What the repository shows works as it stands."""
    assert admission.check(reader.read(path).data).faults == ()


def test_what_only_a_local_run_cannot_do_is_no_matter_in_a_cluster():
    """An image with a command of its own is the usual case there."""
    template = {"spec": {"containers": [{"name": "trainer", "image": "x"}]}}
    verdict = admission.check(changed(trialTemplate=template), in_cluster=True)
    assert (verdict.faults, verdict.warnings) == ((), ())


@pytest.mark.parametrize(
    ("sections", "path", "words"),
    [
        ({"trials": {"max": 2, "parallelism": 4}}, "spec.trials.parallelism", "more than max 2"),
        (
            {"sampler": {"algorithm": "Random", "startupTrials": 5}},
            "spec.sampler.startupTrials",
            "no effect with Random",
        ),
        (
            {"pruner": {"algorithm": "Median", "reductionFactor": 3}},
            "spec.pruner.reductionFactor",
            "no effect with the pruner Median",
        ),
        (
            {"trialTemplate": {"spec": {"containers": [{"name": "trainer", "image": "x"}]}}},
            "spec.trialTemplate.spec.containers[0]",
            "a local run cannot start its image",
        ),
        (
            {
                "finalists": {"seeds": [1], "fixed": {"epochs": 99}},
                "constraints": [{"name": "short", "require": "epochs <= 50 || rate > 1.0"}],
            },
            "spec.finalists.fixed",
            "every configuration breaks a constraint, most often 'short': there would be no finals",
        ),
    ],
)
def test_what_has_no_effect_is_warned_of_and_admitted(sections, path, words):
    """Nothing is ignored silently, and nothing is refused for being idle."""
    verdict = admission.check(changed(**sections))
    assert verdict.faults == ()
    assert [spell(warning.path) for warning in verdict.warnings] == [path]
    assert words in verdict.warnings[0].message


def test_finalists_that_some_values_forbid_are_no_matter():
    """Others take their places."""
    sections = {
        "finalists": {"seeds": [1], "fixed": {"epochs": 99}},
        "constraints": [{"name": "short", "forbid": "epochs > 50 && units > 32"}],
    }
    assert admission.check(changed(**sections)).warnings == ()


def test_initial_trials_carry_every_value():
    """A store can take an initial trial's values as they are, derived and fixed ones too."""
    verdict = admission.check(FULL)
    assert verdict.spec is not None
    first, second = verdict.spec.initial_trials
    assert first.baseline
    assert first.parameters["network_alpha"] == 64
    assert first.parameters["lr_scheduler_num_cycles"] == 1
    assert first.parameters["max_train_epochs"] == 16
    assert second.metrics == {"clip_score": 0.31}


def test_a_broken_declaration_silences_only_what_names_it():
    """A parameter that does not fit the schema causes no talk of unknown names elsewhere."""
    parameters = copy.deepcopy(BASE["spec"]["parameters"])
    parameters[1]["type"] = "Integral"
    parameters[0]["min"] = 5
    faults = admission.check(changed(parameters=parameters)).faults
    assert [spell(fault.path) for fault in faults] == [
        "spec.parameters[1].type",
        "spec.parameters[0].min",
    ]


def test_a_nameless_declaration_silences_unknown_names():
    """What a parameter without a name was meant to be called is not known."""
    parameters = copy.deepcopy(BASE["spec"]["parameters"])
    del parameters[1]["name"]
    faults = admission.check(changed(parameters=parameters)).faults
    assert [str(fault) for fault in faults] == ["spec.parameters[1].name: missing: write a name"]


@pytest.mark.parametrize(
    ("share", "admitted"), [("0.9", True), ("0.0", False)], ids=["a tenth is left", "none is left"]
)
def test_a_space_is_refused_by_what_can_be_drawn(share, admitted):
    """Constraints that can be built in leave a small space drawable; an empty one is refused."""
    parameters = [
        {"name": name, "type": "Double", "min": 0, "max": 1} for name in ("left", "right")
    ]
    forbid = f"left - right < {share} && left - right > -{share}"
    if share == "0.0":
        forbid = "left >= 0.0"
    verdict = admission.check(
        changed(
            parameters=parameters,
            derived=None,
            initialTrials=None,
            constraints=[{"name": "apart", "forbid": forbid}],
        )
    )
    assert (verdict.faults == ()) is admitted
    if not admitted:
        assert "apart forbids 100.0%" in str(verdict.faults[0])


def test_guards_know_numbers_of_the_trial():
    """A guard's scope types are those that the engine evaluates with."""
    verdict = admission.check(FULL)
    assert verdict.spec is not None
    scope = dict(verdict.spec.guards[0].when.scope)
    assert scope["metrics"] is Kind.DOUBLES
    assert scope["step"] is Kind.DOUBLE
    assert scope["network_dim"] is Kind.INT
