"""Measures of predictions, against scikit-learn's."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score

from kubetune_trainer.images.classification import Confusion


@pytest.mark.parametrize("seed", range(5))
def test_accuracy_and_macro_f1_are_those_of_scikit_learn(seed):
    """Also with classes that nobody predicted, and those that were only predicted."""
    rng = np.random.default_rng(seed)
    true, predicted = rng.integers(0, 6, 40), rng.integers(1, 8, 40)
    found = Confusion(10)
    found.saw(true[:25], predicted[:25])
    found.saw(true[25:], predicted[25:])
    assert found.accuracy == pytest.approx(accuracy_score(true, predicted))
    assert found.macro_f1 == pytest.approx(f1_score(true, predicted, average="macro"))


def test_of_nothing_there_is_no_measure():
    """NaN, not a perfect score."""
    assert np.isnan([Confusion(3).accuracy, Confusion(3).macro_f1]).all()
