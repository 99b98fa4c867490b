"""Names of parameters and metrics become words of an expression, each its own."""

import pytest

from kubetune.api.compiling import CEL_WORDS, RUNTIME_VARIABLES
from kubetune.convert import names


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("lr", "lr"),
        ("_lr_2", "_lr_2"),
        ("--lr", "lr"),
        ("num-layers", "num_layers"),
        ("valid_1 auc", "valid_1_auc"),
        ("2nd", "_2nd"),
        ("größe", "gr_e"),
        ("$$$", "my_name"),
        ("x" * 80, "x" * 63),
    ],
)
def test_a_name_stays_as_near_as_it_can(theirs, ours):
    """Letters, digits and `_` are kept; a name that is one already is not touched."""
    assert names.identifier(theirs) == ours


def test_no_two_names_become_one():
    """A name that is taken gets a number, within the length that a name may have."""
    assert names.identifier("a-b", {"a_b", "a_b_2"}) == "a_b_3"
    assert names.identifier("x" * 70, {"x" * 63}) == f"{'x' * 61}_2"


@pytest.mark.parametrize("word", sorted(CEL_WORDS | RUNTIME_VARIABLES))
def test_a_parameter_is_no_word_of_the_language(word):
    """Such as `step`, which guards know, or `in`."""
    found = names.parameter(word)
    assert found not in CEL_WORDS | RUNTIME_VARIABLES
    assert word in found
