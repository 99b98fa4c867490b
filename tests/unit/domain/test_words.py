"""A word that explains itself is still a plain string."""

import json
import pickle

import pytest

from kubetune.domain.reasons import TrialReason
from kubetune.domain.words import Word


def test_a_word_is_its_value() -> None:
    """In comparisons, texts, JSON and databases."""
    word = TrialReason.PRUNED
    assert (word, f"{word}", json.dumps(word)) == ("Pruned", "Pruned", '"Pruned"')
    assert TrialReason("Pruned") is word
    assert pickle.loads(pickle.dumps(word)) is word
    assert not TrialReason.NONE


def test_no_value_is_declared_twice() -> None:
    """The second would be another name of the first, and lose its explanation."""
    with pytest.raises(ValueError, match="NoSuchReason"):
        TrialReason("NoSuchReason")
    assert len(TrialReason) == len(TrialReason.__members__)


def test_its_explanation_goes_with_it() -> None:
    """What it means always, what to do where there is something to do."""

    class Light(Word):
        RED = "Red", "others go", "wait"
        GREEN = "Green", "you may go"

    assert [(each.means, each.todo) for each in Light] == [
        ("others go", "wait"),
        ("you may go", ""),
    ]
