"""What a curve says about rates: drawn curves, each with a shape of its own."""

import math

import numpy as np
import pytest

from kubetune_trainer.training import rates

STEPS = 100
TRIED = rates.grown(1e-7, 1.0, STEPS)
FALL_AT = 1e-3


def fall(first=3.0, last=1.0):
    """Around 1e-3 the loss falls, over two powers of ten."""
    return [
        last + (first - last) / (1 + math.exp(math.log10(rate / FALL_AT) / 0.4)) for rate in TRIED
    ]


def exploding(losses, at=0.3):
    """From about that rate on nothing holds."""
    return [loss + (rate / at) ** 3 for loss, rate in zip(losses, TRIED, strict=True)]


def noisy(losses, spread, seed):
    drawn = np.random.default_rng(seed).normal(size=len(losses))
    return [loss + spread * float(each) for loss, each in zip(losses, drawn, strict=True)]


def test_rates_grow_by_the_same_multiple():
    """From the first to the last one, both included."""
    found = rates.grown(1e-6, 1e-2, 5)
    assert found == pytest.approx([1e-6, 1e-5, 1e-4, 1e-3, 1e-2])


@pytest.mark.parametrize("spread", [0.0, 0.05, 0.2])
@pytest.mark.parametrize("last", [1.0, -4.0])
def test_a_fall_is_found_where_it_is(spread, last):
    """Steepest at its middle, stable until it rises; what is searched lies below both."""
    for seed in range(5):
        found = rates.suggest(TRIED, noisy(exploding(fall(last + 2, last)), spread, seed))
        assert found is not None
        assert 2e-4 < found.steepest < 5e-3
        assert 8e-3 < found.last_stable < 0.2
        assert found.low == pytest.approx(min(found.steepest, found.last_stable / 2) / 10)
        assert found.high == pytest.approx(found.last_stable / 2)
        assert TRIED[0] <= found.low < found.high


def test_noise_alone_says_nothing():
    """However little there is of it, also where it grows with the rate; nor does a flat line."""
    for seed in range(50):
        spread = 10.0 ** (seed % 4 - 3)
        noise = noisy([0.0] * STEPS, spread, seed)
        growing = [each * min(1.0, 1e3 * rate) for each, rate in zip(noise, TRIED, strict=True)]
        found = [rates.suggest(TRIED, [3 + each for each in drawn]) for drawn in (noise, growing)]
        assert found == [None, None]
    assert rates.suggest(TRIED, [3.0] * STEPS) is None


def test_a_rise_says_nothing():
    """What only explodes never fell."""
    assert rates.suggest(TRIED, exploding([3.0] * STEPS, at=1e-3)) is None


def test_a_fall_to_the_end_is_stable_to_the_end():
    """The highest rate that was tried; the range stays within what was tried."""
    found = rates.suggest(TRIED, [3 - step / STEPS for step in range(STEPS)])
    assert found.last_stable == 1.0
    assert found.high == 0.5
    at_once = rates.suggest(TRIED, [1 + math.exp(-step / 3) for step in range(STEPS)])
    assert at_once.low == TRIED[0]


def test_of_what_is_no_number_only_what_was_before_counts():
    """The rates before it; too few of them say nothing."""
    losses = fall()
    middle = next(index for index, rate in enumerate(TRIED) if rate > 1e-2)
    found = rates.suggest(TRIED, [*losses[:middle], math.nan, *losses[middle + 1 :]])
    assert found.last_stable == TRIED[middle - 1]
    assert 2e-4 < found.steepest < 5e-3
    assert rates.suggest(TRIED, [*losses[:4], math.inf]) is None
    assert rates.suggest(TRIED, []) is None


@pytest.mark.parametrize("at", [0, 1, 50, 60])
def test_a_single_bad_step_changes_nothing(at):
    """Some batches are bad by chance."""
    losses = exploding(fall())
    plain = rates.suggest(TRIED, losses)
    losses[at] = 1e30
    found = rates.suggest(TRIED, losses)
    assert found.steepest == pytest.approx(plain.steepest, rel=0.5)
    assert found.last_stable == pytest.approx(plain.last_stable, rel=0.5)


def test_a_smoothed_curve_is_not_shifted():
    """Backwards it is the same; a straight line stays one but for its ends."""
    losses = noisy(fall(), 0.3, 1)
    backwards = rates.smoothed(losses[::-1])[::-1]
    assert rates.smoothed(losses)[5:-5] == pytest.approx(backwards[5:-5])
    line = [float(step) for step in range(100, 200)]
    assert rates.smoothed(line)[15:-15] == pytest.approx(line[15:-15])
    assert len(rates.smoothed([1.0, 2.0])) == 2


def test_a_test_ends_where_the_loss_breaks():
    """No number at once; too high ones when they stay, and only above the first ones too."""
    good = [3.0, 2.9, 2.8, 2.5, 2.0, 1.0, 0.5, 0.1, 0.1, 0.1]
    assert rates.diverged([math.nan])
    assert rates.diverged([3.0, math.inf])
    assert not rates.diverged([])
    assert not rates.diverged([*good, 100.0])
    assert rates.diverged([*good, 100.0, 100.0])
    assert not rates.diverged([*good, 2.9, 2.9, 2.9])
    assert not rates.diverged(exploding(fall(), at=1e-7)[:9])
