"""Trials that train well are left alone, whatever noise they train with."""

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from kubetune.domain.marks import mark
from kubetune.domain.trial import Trial
from tests.unit.domain.marks import drawn

STUDIES, TRIALS = 50, 10


def studies(objective: drawn.Objective) -> Iterator[list[Trial]]:
    """500 trials in all; those of one study share their length, noise and pace, about."""
    for seed in range(STUDIES):
        rng = random.Random(seed)
        settings = drawn.Settings(rng)
        yield [drawn.healthy(rng, number, objective, settings) for number in range(TRIALS)]


@pytest.mark.parametrize("objective", [drawn.LOSS, drawn.F1], ids=lambda one: one.metric)
@pytest.mark.parametrize("every", [1, 3])
def test_of_500_healthy_trials_hardly_one_is_marked(objective: drawn.Objective, every: int) -> None:
    """Less than one in a hundred, of whole curves and of curves of which a scrape saw a third."""
    marked = 0
    for trials in studies(objective):
        seen = [replace(trial, curve=trial.curve[every - 1 :: every]) for trial in trials]
        marked += len(mark(drawn.study(objective), seen))
    assert marked < 0.01 * STUDIES * TRIALS


def test_a_loss_that_stands_still_is_not_marked() -> None:
    """Noise about one value is no divergence and no turning point; it takes peers to be slow."""
    rng = random.Random(7)
    for number in range(100):
        flat = drawn.trial(
            number,
            train_loss=drawn.scattered(rng, [2.3] * 40, 0.1),
            eval_loss=drawn.scattered(rng, [2.3] * 40, 0.1),
        )
        assert not mark(drawn.study(), [flat])


@pytest.mark.parametrize("points", [0, 1, 2])
def test_too_few_points_are_never_marked(points: int) -> None:
    """Whatever they look like, beside any peers."""
    peers = [
        drawn.trial(number, eval_loss=drawn.falling(20, 5.0, 1.0, 0.2)) for number in range(1, 9)
    ]
    wild = [[5.0, 900.0], [0.1, 1e6], [1.0, 1e9]]
    for values in wild:
        short = drawn.trial(
            0,
            every=10,
            eval_loss=values[:points],
            train_loss=values[:points],
            gradient_norm=values[:points],
        )
        assert mark(drawn.study(), [short, *peers]) == {}
