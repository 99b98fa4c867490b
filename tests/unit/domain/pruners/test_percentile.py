"""Median and percentile: who is compared, from when on, with which figure."""

import math
import statistics

import pytest

from kubetune.domain.pruners import percentile
from kubetune.domain.study import Pruner, PrunerAlgorithm
from tests.builders import make_field, make_points, make_study, make_trial


def median(spec, trial, peers):
    """The median's verdict."""
    return percentile.median(spec, trial, make_field(spec, trial, peers))


def best_share(spec, trial, peers):
    """The percentile's verdict."""
    return percentile.percentile(spec, trial, make_field(spec, trial, peers))


def make_spec(**changes):
    values = {"algorithm": PrunerAlgorithm.MEDIAN, "startup_trials": 1} | changes
    return make_study(pruner=Pruner(**values))


def make_peers(*values):
    return [make_trial(10 + n, value, curve=make_points(value)) for n, value in enumerate(values)]


def test_worse_than_the_median_is_cut():
    """The sentence names the trial's best, the median and how many trials made it."""
    trial = make_trial(1, curve=make_points(0.4))
    assert median(make_spec(), trial, make_peers(0.3, 0.5, 0.6)) == (
        "best value 0.4 up to step 1 is worse than the median of 3 complete trials there (0.5)"
    )


def test_the_median_itself_goes_on():
    """Only a value that is worse is cut."""
    trial = make_trial(1, curve=make_points(0.5))
    assert median(make_spec(), trial, make_peers(0.3, 0.5, 0.6)) is None


def test_percentile_keeps_its_share():
    """With percentile 25 only the best quarter goes on."""
    trial, peers = make_trial(1, curve=make_points(0.5)), make_peers(0.1, 0.2, 0.3, 0.4, 0.6)
    assert best_share(make_spec(percentile=25.0), trial, peers) is None
    trial = make_trial(1, curve=make_points(0.35))
    message = best_share(make_spec(percentile=25.0), trial, peers)
    assert message
    assert "the best 25% of 5" in message


@pytest.mark.parametrize(
    "spec", [make_spec(startup_trials=4), make_spec(warmup_steps=2)], ids=["startup", "warmup"]
)
def test_nothing_is_cut_too_early(spec):
    """Startup trials and warm-up steps hold the pruner back."""
    trial = make_trial(1, curve=make_points(0.1))
    assert median(spec, trial, make_peers(0.3, 0.5, 0.6)) is None


def test_only_complete_peers_count():
    """A running peer is no measure: its end is not known."""
    peers = [make_trial(2, curve=make_points(0.9))]
    assert median(make_spec(), make_trial(1, curve=make_points(0.1)), peers) is None


def test_a_peer_counts_with_what_it_had_then():
    """A peer sampled at steps 1 and 5 stands at its step-1 value when the trial is at 3."""
    points = (*make_points(0.5), *make_points(0.9, start=5))
    trial = make_trial(1, curve=make_points(0.6, start=3))
    assert median(make_spec(), trial, [make_trial(2, 0.9, curve=points)]) is None


def test_a_peer_that_ended_before_says_nothing():
    """Nobody knows what a shorter curve would have been at this step."""
    trial = make_trial(1, curve=make_points(0.1, start=3))
    assert median(make_spec(), trial, make_peers(0.9)) is None


def test_no_finite_value_is_worst():
    """A trial that has reported NaN alone is cut once there are complete trials."""
    trial = make_trial(1, curve=make_points(math.nan))
    message = median(make_spec(), trial, make_peers(0.5))
    assert message
    assert "no finite value" in message


def test_quantile_interpolates():
    """50% is the median, the ends are the extremes, between neighbours it is linear."""
    values = [1.0, 2.0, 3.0, 4.0]
    assert percentile.quantile(values, 50) == statistics.median(values)
    assert [percentile.quantile(values, share) for share in (0, 100, 25)] == [1.0, 4.0, 1.75]
