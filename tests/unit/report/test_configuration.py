"""best_config.yaml: what the trainer and other readers make of it."""

import pytest
from ruamel.yaml import YAML

from kubetune.domain.reasons import TrialReason
from kubetune.report.configuration import configuration
from kubetune_trainer.parameters import read_config
from tests.unit.report import made

WORDS = ("on", "no", "1e3", "0x10", "1_000", "12:30", "~", "null", "", "- a", "a: b #c", "é", "🦜")
STRANGE = (" a ", 'it\'s "x"', "\\n", "a\nb", "\x07\x1b\u202e")
VALUES = (6e-5, 1e16, 1e-300, 0.1, -2.5, 3, True, *WORDS, *STRANGE)


def with_parameters(values):
    return made.findings(made.trial(0, 0.5, parameters=values, active=frozenset()))


def load(text, version=(1, 2)):
    reader = YAML(typ="safe", pure=True)
    reader.version = version
    return reader.load(text)


def test_the_trainer_reads_it(tmp_path):
    """Parameters with their types, derived and fixed ones too, and the seed."""
    file = tmp_path / "best_config.yaml"
    file.write_text(configuration(made.findings(*made.trials())), encoding="utf-8")
    parameters, seed = read_config(file)
    best = made.trials()[10]
    assert parameters == dict(best.parameters)
    assert {type(value) for value in parameters.values()} == {int, float, str}
    assert seed == best.seed


def test_what_it_says():
    """Study, trial, objective and seed stand beside the parameters."""
    data = load(configuration(made.findings(*made.trials())))
    del data["parameters"]
    assert data == {
        "study": "made",
        "trial": 10,
        "objective": {"metric": "accuracy", "direction": "Maximize", "value": 0.9612},
        "seed": 110,
    }


@pytest.mark.parametrize("version", [(1, 1), (1, 2)])
@pytest.mark.parametrize("value", VALUES)
def test_every_value_survives_every_reader(value, version):
    """Old readers take `1e-05` for text and `on` for true: both understand what is written."""
    text = configuration(with_parameters({"x": value}))
    read = load(text, version)["parameters"]["x"]
    assert (type(read), read) == (type(value), value)


@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_infinities_survive(value):
    """A derived value may be infinite."""
    assert load(configuration(with_parameters({"x": value})))["parameters"]["x"] == value


def test_several_objectives_name_the_choice():
    """The first of the Pareto front is taken, and a comment says so."""
    text = configuration(
        made.findings(made.pair(0, 0.8, 10.0), made.pair(1, 0.9, 30.0), objectives=made.TWO)
    )
    assert text.startswith("# The first of 2 on the Pareto front: the best in accuracy.\n")
    data = load(text)
    assert data["trial"] == 1
    assert [item["value"] for item in data["objectives"]] == [0.9, 30.0]


def test_without_a_complete_trial_there_is_none():
    """Nothing that failed is offered to train with."""
    assert configuration(made.findings(made.failed(0, TrialReason.CRASHED))) is None
