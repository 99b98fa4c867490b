"""Parameters as a typed dataclass."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Literal

import pytest

from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.parameters import bind, read_config, read_setting, unused


class Schedule(StrEnum):
    COSINE = "cosine"
    LINEAR = "linear"


@dataclass
class Config:
    rate: float
    dim: int
    optimizer: Literal["sgd", "adam"]
    schedule: Schedule = Schedule.COSINE
    cache: bool = False
    warmup: int | None = None
    name: str = "run"

    def __post_init__(self):
        if self.dim % 8:
            raise ValueError(f"dim: {self.dim} must be a multiple of 8")


GOOD = {"rate": 1e-3, "dim": 64, "optimizer": "adam"}


def test_typed():
    """Values arrive as their types say; whole floats for ints and ints for floats are taken."""
    values = {"rate": 1, "dim": 64.0, "optimizer": "sgd", "schedule": "linear", "warmup": 5}
    config = bind(Config, values)
    assert config == Config(1.0, 64, "sgd", Schedule.LINEAR, warmup=5)
    assert (type(config.rate), type(config.dim)) == (float, int)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rate": "fast"}, "rate: 'fast' is wrong, write a number"),
        ({"rate": True}, "rate: True is wrong, write a number"),
        ({"dim": 64.5}, "dim: 64.5 is wrong, write a whole number"),
        ({"dim": "64"}, "dim: '64' is wrong, write a whole number"),
        ({"optimizer": "lion"}, "optimizer: 'lion' is wrong, write one of sgd, adam"),
        ({"schedule": "step"}, "schedule: 'step' is wrong, write one of cosine, linear"),
        ({"cache": 1}, "cache: 1 is wrong, write true or false"),
        ({"cache": "yes"}, "cache: 'yes' is wrong, write true or false"),
        ({"warmup": 0.5}, "warmup: 0.5 is wrong, write a whole number"),
        ({"name": 7}, "name: 7 is wrong, write a text"),
        ({"dim": 60}, "dim: 60 must be a multiple of 8"),
    ],
)
def test_mistyped(values, message):
    """A value of another type is refused with its name, itself and what to write."""
    with pytest.raises(BadConfiguration) as refused:
        bind(Config, GOOD | values)
    assert str(refused.value) == message


def test_every_fault_at_once():
    """Missing and mistyped values are all named, in the order of the fields."""
    with pytest.raises(BadConfiguration) as refused:
        bind(Config, {"optimizer": 3, "cache": "no"})
    assert str(refused.value) == (
        "rate: missing, write a number; dim: missing, write a whole number; "
        "optimizer: 3 is wrong, write one of sgd, adam; cache: 'no' is wrong, write true or false"
    )


def test_no_dataclass():
    """A plain class is a mistake of the program, not of the configuration."""
    with pytest.raises(TypeError, match="write @dataclass"):
        bind(dict, GOOD)


def test_unused():
    """Values without a field are found, for the trainer to say so."""
    assert unused(Config, GOOD | {"ratio": 1, "lerning_rate": 2}) == ("lerning_rate", "ratio")


def test_config_file(tmp_path: Path):
    """A best_config.yaml gives its parameters and its seed; 6e-5 is a number."""
    path = tmp_path / "best_config.yaml"
    path.write_text("study: x\ntrial: 3\nseed: 5\nparameters: {rate: 6e-5, dim: 64, on: true}\n")
    assert read_config(path) == ({"rate": 6e-5, "dim": 64, "on": True}, 5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "No such file"),
        ("a: [", "--config"),
        ("[]", "a map named `parameters` is needed"),
        ("parameters: 3", "a map named `parameters` is needed"),
        ("parameters: {betas: [1, 2]}", "parameters.betas is no plain value"),
    ],
)
def test_wrong_config_file(tmp_path: Path, text, message):
    """A file that is no configuration is refused with its name."""
    path = tmp_path / "c.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(BadConfiguration) as refused:
        read_config(path)
    assert message in str(refused.value)
    assert "c.yaml" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rate=6e-5", ("rate", 6e-5)),
        ("dim=64", ("dim", 64)),
        ("cache=true", ("cache", True)),
        ("optimizer=adam", ("optimizer", "adam")),
        ('name="7"', ("name", "7")),
        ("name=a=b", ("name", "a=b")),
        ("name=", ("name", "")),
        ("name=[1]", ("name", "[1]")),
    ],
)
def test_setting(text, expected):
    """A value set by hand is JSON where it can be, else text."""
    assert read_setting(text) == expected


@pytest.mark.parametrize("text", ["rate", "=3"])
def test_wrong_setting(text):
    """A setting without a name or a value is refused."""
    with pytest.raises(BadConfiguration, match="write name=value"):
        read_setting(text)
