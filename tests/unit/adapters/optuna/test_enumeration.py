"""Grids meet every combination once; Sobol points depend on seed and index alone."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetune.adapters.optuna.enumeration import Grid, Shuffle, Sobol
from kubetune.domain.coordinates import Coordinates
from kubetune.domain.space import Choice, Double, Integer, Space

AXES = Coordinates(
    Space(
        parameters=(
            Double(name="rate", low=1e-4, high=1e-2, log=True),
            Double(name="share", low=0, high=0.3, step=0.1),
            Integer(name="layers", low=2, high=6, step=2),
            Choice(name="kind", values=("a", "b")),
        )
    )
).axes


@given(size=st.integers(1, 300), key=st.integers(0, 2**31 - 1))
def test_shuffle_is_a_permutation(size: int, key: int) -> None:
    """Every place is taken once, whatever size and key."""
    shuffle = Shuffle(size, key)
    assert sorted(shuffle[index] for index in range(size)) == list(range(size))


def test_shuffle_takes_no_memory() -> None:
    """A product too large to hold is shuffled all the same."""
    size = 10**40
    assert 0 <= Shuffle(size, 5)[size - 1] < size


@pytest.mark.parametrize("index", [-1, 10])
def test_shuffle_ends(index: int) -> None:
    """Outside its range there is nothing."""
    with pytest.raises(IndexError):
        Shuffle(10, 1)[index]


def test_grid_meets_every_combination_once() -> None:
    """A grid is the product of its axes' values, cut in `points` where there is a continuum."""
    grid = Grid(AXES, 1, points=3)
    assert grid.size == 3 * 4 * 3 * 2
    assert len({tuple(grid[index].items()) for index in range(grid.size)}) == grid.size


def test_grid_reaches_both_ends() -> None:
    """A continuous axis is cut evenly on its own scale, both ends included."""
    grid = Grid(AXES, 1, points=3)
    rates = sorted({grid[index]["rate"] for index in range(grid.size)})
    assert rates == [1e-4, pytest.approx(1e-3), 1e-2]


def test_grid_order_depends_on_the_seed() -> None:
    """Another seed walks another way."""
    orders = [[tuple(Grid(AXES, seed)[i].items()) for i in range(20)] for seed in (1, 1, 2)]
    assert orders[0] == orders[1] != orders[2]


def test_sobol_depends_on_seed_and_index() -> None:
    """Points are the same in whatever order they are asked for."""
    sobol = Sobol(AXES, 3)
    points = [sobol[index] for index in range(8)]
    assert [Sobol(AXES, 3)[index] for index in (5, 2)] == [points[5], points[2]]
    assert sobol[1] == points[1]
    assert Sobol(AXES, 4)[5] != points[5]


def test_sobol_is_even() -> None:
    """Of sixteen points, every sixteenth of a continuous axis holds one."""
    sobol = Sobol(AXES, 3)
    width = math.log(100) / 16
    places = [int(math.log(sobol[index]["rate"] / 1e-4) / width) for index in range(16)]
    assert sorted(places) == list(range(16))
