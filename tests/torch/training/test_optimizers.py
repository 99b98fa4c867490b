"""Optimizers by name."""

from typing import get_args

import pytest
import torch
from torch import nn

from kubetune_trainer.training import optimizers
from kubetune_trainer.training.optimizers import Group, OptimizerType, Recipe


def groups(rates=(3e-3, 1e-3)):
    """Two layers with rates of their own; the first is large enough for states of 8 bits."""
    torch.manual_seed(0)
    layers = nn.Linear(64, 80), nn.Linear(80, 1)
    names = ("body", "head")
    return layers, [
        Group(name=name, parameters=list(layer.parameters()), learning_rate=rate, weight_decay=0.0)
        for name, layer, rate in zip(names, layers, rates, strict=True)
    ]


def learn(layers, optimizer, steps=80):
    """The loss before and after."""
    inputs = torch.randn(64, 64, generator=torch.Generator().manual_seed(1))
    losses = []
    for _ in range(steps):
        loss = (layers[1](layers[0](inputs)) - inputs[:, :1]).square().mean()
        loss.backward()
        optimizer.torch_optimizer.step()
        optimizer.torch_optimizer.zero_grad()
        losses.append(loss.item())
    return losses[0], losses[-1]


@pytest.mark.parametrize("kind", get_args(OptimizerType))
def test_each_learns(kind):
    """The loss falls to less than half, with rates of its own for each group."""
    layers, given = groups((1e-1, 5e-2) if kind == "SGD" else (3e-3, 1e-3))
    optimizer = optimizers.build(given, Recipe(kind=kind))
    first, last = learn(layers, optimizer)
    assert last < first / 2
    assert list(optimizer.rates()) == ["body", "head"]
    assert len(optimizer.parameters) == 4


def test_eight_bits_are_eight_bits():
    """States of large layers take a byte for each weight; small ones stay exact."""
    layers, given = groups()
    optimizer = optimizers.build(given, Recipe(kind="AdamW8bit"))
    learn(layers, optimizer, steps=1)
    states = optimizer.torch_optimizer.state
    assert states[layers[0].weight]["state1"].dtype == torch.uint8
    assert states[layers[1].weight]["state1"].dtype == torch.float32


def test_prodigy_takes_one_rate_for_all():
    """Rates that differ do not break it: it says that they do not count, and shows its own."""
    layers, given = groups((1e-4, 5e-5))
    optimizer = optimizers.build(given, Recipe(kind="Prodigy", d_coef=2.0))
    learn(layers, optimizer)
    assert "Prodigy finds its own rate" in optimizer.notes[0]
    rates = optimizer.rates()
    assert rates["body"] == rates["head"] > 1e-6
    assert optimizers.build(groups()[1], Recipe()).notes == ()


@pytest.mark.parametrize("kind", get_args(OptimizerType))
def test_a_rate_of_zero_leaves_a_group_out(kind):
    """What has no rate is not trained at all, with Prodigy too."""
    layers, given = groups((3e-3, 0.0))
    before = layers[1].weight.detach().clone()
    optimizer = optimizers.build(given, Recipe(kind=kind))
    learn(layers, optimizer, steps=3)
    assert optimizer.names == ("body",)
    assert torch.equal(layers[1].weight, before)
    with pytest.raises(ValueError, match="learning_rate: nothing is trained"):
        optimizers.build(groups((0.0, 0.0))[1], Recipe(kind=kind))
