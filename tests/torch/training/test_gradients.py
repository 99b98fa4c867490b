"""Norms, and explosions on drawn curves."""

import math

import pytest
import torch
from torch import nn

from kubetune_trainer.training import gradients
from kubetune_trainer.training.gradients import Explosions


def count(norms, seen=None):
    """How many explosions a curve has."""
    seen = seen or Explosions()
    for step, norm in enumerate(norms, start=1):
        seen.saw(step, norm)
    return seen.count


CALM = [1.0 + 0.2 * math.sin(step) for step in range(30)]


@pytest.mark.parametrize(
    ("norms", "explosions"),
    [
        (CALM, 0),
        ([50.0, 20.0, 5.0, *CALM], 0),
        ([math.exp(-step / 10) for step in range(60)], 0),
        ([math.exp(step / 25) for step in range(100)], 0),
        ([*CALM, 30.0, *CALM], 0),
        ([*CALM, 30.0, 1.0, 30.0, *CALM], 1),
        ([*CALM, 30.0, *CALM, 30.0, *CALM], 0),
        ([*CALM, 300.0, *CALM], 1),
        ([*CALM, 300.0, 300.0, 300.0], 3),
        ([math.nan], 1),
        ([*CALM, math.inf, *CALM, math.nan], 2),
        ([1.0, 1000.0], 0),
    ],
    ids=[
        "calm",
        "large at first",
        "falling",
        "slowly growing",
        "one large",
        "two large and near",
        "two large and far",
        "one huge",
        "three huge",
        "nan",
        "infinite and nan",
        "too early",
    ],
)
def test_explosions_on_drawn_curves(norms, explosions):
    """Huge once, or large twice within 20 steps, against the median; not finite always."""
    assert count(norms) == explosions


def test_counting_goes_on_after_a_checkpoint():
    """What was kept and read again counts on as if it had not been."""
    norms = [*CALM, 30.0, 1.0, 30.0, 400.0, *CALM]
    for cut in (5, 31, 33):
        first = Explosions()
        count(norms[:cut], first)
        second = Explosions.of(first.state())
        for step, norm in enumerate(norms[cut:], start=cut + 1):
            second.saw(step, norm)
        assert second.count == count(norms) == 2


def test_clipping_tells_the_norm_before():
    """Gradients are cut to the limit, all at once; 0 is no limit; what is told is uncut."""
    one, two = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(1))
    for limit, left in ((1.0, 1.0), (0.0, 13.0), (20.0, 13.0)):
        one.grad, two.grad = torch.tensor([3.0, 4.0]), torch.tensor([12.0])
        assert gradients.clip((one, two), limit) == pytest.approx(13.0)
        assert math.hypot(*one.grad, *two.grad) == pytest.approx(left, rel=1e-4)
    one.grad = torch.tensor([math.nan, 1.0])
    assert math.isnan(gradients.clip([one, two], 1.0))


def test_weight_norm():
    """One norm over all, whatever their types are."""
    parameters = [nn.Parameter(torch.tensor([3.0])), nn.Parameter(torch.tensor([4.0]).bfloat16())]
    assert gradients.weight_norm(parameters) == pytest.approx(5.0)
