"""Trees over cells: the variance divides as the function that they learned says."""

import numpy as np
import pytest

from kubetune.report.forest import Axis, plant

EVEN = Axis(np.full(8, 1 / 8), ordered=True)
WORDS = Axis(np.full(8, 1 / 8), ordered=False)


def planted(answer, *axes, rows=150):
    cells = np.random.default_rng(5).integers(0, 8, (rows, len(axes)))
    return plant(axes, cells, np.apply_along_axis(answer, 1, cells).astype(float))


def test_one_axis_alone():
    """All of the variance is the first axis's, none the second's, and the trees foretell it."""
    forest = planted(lambda row: row[0], EVEN, EVEN)
    shares, means = forest.mains()
    assert shares.mean(axis=0) == pytest.approx([1, 0], abs=0.03)
    assert means[0] == pytest.approx(range(8), abs=0.6)
    assert forest.explained > 0.95
    assert forest.pair(0, 1) < 0.02


def test_two_axes_that_matter_only_together():
    """Neither has a share alone where each undoes the other."""
    forest = planted(lambda row: (row[0] < 4) == (row[1] < 4), EVEN, EVEN, rows=250)
    shares, _ = forest.mains()
    assert shares.mean(axis=0).max() < 0.2
    assert forest.pair(0, 1) > 0.7


def test_words_are_divided_whatever_their_order():
    """Every other word is good: an axis without order needs one division for that."""
    forest = planted(lambda row: row[0] % 2, WORDS, EVEN)
    assert forest.mains()[0].mean(axis=0)[0] > 0.95


def test_noise_is_not_explained():
    """Trees that learned noise say so."""
    noise = np.random.default_rng(3)
    assert planted(lambda _: noise.random(), EVEN, EVEN, rows=80).explained < 0.1


def test_a_rare_cell_counts_as_much_as_it_holds():
    """What happens in a hundredth of the space moves a hundredth of it."""
    rare = Axis(np.array([0.01, *[0.99 / 7] * 7]), ordered=True)
    shares, _ = planted(lambda row: 10 * (row[0] == 0) + row[1], rare, EVEN).mains()
    assert shares.mean(axis=0)[1] > 0.7


def test_the_same_forest_every_time():
    """A report written twice says the same."""
    one, other = (planted(lambda row: row[0] * row[1], EVEN, EVEN) for _ in range(2))
    assert (one.mains()[0] == other.mains()[0]).all()
