"""The parameters that every recipe has."""

import math

import pytest

from kubetune_trainer import parameters
from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.training.config import TrainingConfig


def test_every_fault_is_named_at_once():
    """Whole numbers from 1, amounts from 0, shares below 1: each field with what it may be."""
    given = {"epochs": 0, "learning_rate": -1.0, "lr_warmup_ratio": 1.0, "max_grad_norm": math.nan}
    with pytest.raises(BadConfiguration) as raised:
        parameters.bind(TrainingConfig, given)
    assert str(raised.value).split("; ") == [
        "epochs: 0 is too small, write 1 or more",
        "learning_rate: -1.0 must be 0 or more",
        "max_grad_norm: nan must be 0 or more",
        "lr_warmup_ratio: 1.0 must be from 0 to less than 1",
    ]


@pytest.mark.parametrize(
    ("epochs", "max_steps", "steps"), [(3, 0, 30), (3, 12, 12), (1, 12, 10), (1, 1, 1)]
)
def test_steps(epochs, max_steps, steps):
    """Epochs end a trial, and a number of steps where that is less."""
    assert TrainingConfig(epochs=epochs, max_steps=max_steps).steps(10) == steps


@pytest.mark.parametrize(
    ("count", "share", "warmup"), [(0, 0.0, 0), (5, 0.0, 5), (0, 0.1, 4), (5, 0.1, 5)]
)
def test_warmup(count, share, warmup):
    """A number of steps counts before a share of all."""
    config = TrainingConfig(lr_warmup_steps=count, lr_warmup_ratio=share)
    assert config.course(40).warmup_steps == warmup
