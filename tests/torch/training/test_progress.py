"""What ends a trial early, and which evaluation was the best."""

import math

import pytest

from kubetune_trainer.training.progress import Progress


def judged(values, least=0.0, *, higher=False):
    """Which values were the best when they came, and the evaluations since the last improvement."""
    progress = Progress()
    best = [
        progress.judge(step, value, least, higher=higher)
        for step, value in enumerate(values, start=1)
    ]
    return best, progress.without_improvement


@pytest.mark.parametrize(
    ("values", "least", "higher", "best", "without"),
    [
        ([3, 2, 1], 0.0, False, [True, True, True], 0),
        ([1, 2, 1], 0.0, False, [True, False, False], 2),
        ([1, 2, 3], 0.0, True, [True, True, True], 0),
        ([3.0, 2.9, 2.8], 0.5, False, [True, True, True], 2),
        ([3.0, 2.7, 2.4], 0.5, False, [True, True, True], 0),
        ([3.0, math.nan, math.inf], 0.0, False, [True, False, False], 2),
        ([math.nan, 3.0], 0.0, False, [False, True], 0),
    ],
    ids=[
        "falls",
        "stays",
        "higher is better",
        "too little",
        "little by little",
        "nan",
        "nan first",
    ],
)
def test_best_and_patience(values, least, higher, best, without):
    """The best is the best by anything; an improvement is one by the least amount, also in sum."""
    assert judged(values, least, higher=higher) == (best, without)


@pytest.mark.parametrize("start", [1.0, math.nan])
def test_the_untouched_model_counts_for_the_best_alone(start):
    """What training began with may be the best; patience begins with the first evaluation after."""
    progress = Progress()
    assert progress.judge(0, start, 0.0, higher=False) is math.isfinite(start)
    assert (progress.without_improvement, progress.mark) == (0, None)
    assert progress.judge(1, 3.0, 0.0, higher=False) is math.isnan(start)
    assert progress.judge(2, 2.0, 0.0, higher=False) is math.isnan(start)
    assert progress.without_improvement == 0
    assert progress.judge(3, 0.5, 0.0, higher=False)
    assert progress.best_step == 3


def test_all_of_it_is_kept():
    """A checkpoint keeps every field."""
    progress = Progress(loss_sum=1.5, targets=3, best=0.5, mark=0.5, evaluation_due=True)
    progress.saw(1, 2.0, finite=True)
    progress.saw(2, math.nan, finite=False)
    assert Progress.of(progress.state()) == progress
    assert (progress.skipped, progress.bad_steps, progress.diverged) == (1, 1, False)
