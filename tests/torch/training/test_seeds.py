"""Everything random."""

import random

import numpy as np
import pytest
import torch

from kubetune_trainer.training import seeds


def drawn():
    """A number of each generator."""
    return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002 - what is seeded


def test_a_step_has_numbers_of_its_own():
    """They follow from seed, step and process, whatever was drawn before."""
    found = []
    for given in ((1, 2, 0), (1, 2, 0), (1, 3, 0), (2, 2, 0), (1, 2, 1)):
        drawn()
        seeds.seed_step(*given)
        found.append(drawn())
    assert found[0] == found[1]
    assert len(set(found)) == 4


def test_what_is_drawn_aside_changes_nothing():
    """The block has the same numbers each time; after it all goes on, after an error too."""
    seeds.seed_all(7)
    expected = drawn()
    seeds.seed_all(7)
    found = []

    def failing():
        with seeds.aside(3):
            found.append(drawn())
            raise KeyError

    for _ in range(2):
        with pytest.raises(KeyError):
            failing()
    assert found[0] == found[1]
    assert drawn() == expected
