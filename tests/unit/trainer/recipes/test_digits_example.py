"""The quickstart's manifest and its recipe fit together."""

from dataclasses import fields
from pathlib import Path

import pytest

from kubetune.api import admission, reader
from kubetune_trainer.parameters import bind
from kubetune_trainer.recipes.digits import Config

MANIFEST = Path(__file__).parents[4] / "examples" / "01-digits" / "study.yaml"


@pytest.fixture(scope="module")
def spec():
    checked = admission.check(reader.read(MANIFEST).data)
    assert checked.faults == ()
    return checked.spec


def test_every_value_is_read(spec):
    """The recipe has a field for every value but the one that the rate is derived from."""
    names = {parameter.name for parameter in spec.space.parameters}
    names |= {derived.name for derived in spec.space.derived} | set(spec.space.fixed)
    assert names - {field.name for field in fields(Config)} == {"base_rate"}


def test_baseline_is_a_configuration(spec):
    """The hand-tuned trial is one that the recipe accepts as it stands."""
    [baseline] = [initial for initial in spec.initial_trials if initial.baseline]
    assert bind(Config, baseline.parameters).learning_rate == 0.1


def test_pruner_ends_with_the_trial(spec):
    """The pruner's longest trial is the recipe's number of epochs."""
    assert spec.pruner.max_resource == spec.space.fixed["epochs"]
