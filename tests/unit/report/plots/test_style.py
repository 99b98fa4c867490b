"""Text that fits and can be told apart."""

import pytest

from kubetune.report.plots.style import shortened, told_apart, wrapped


def test_names_that_differ_in_their_middle_stay_different():
    """Twenty layers of one network are twenty names."""
    names = [f"text_encoder_layer_{index:02}_attention_dropout" for index in range(20)]
    cut = told_apart(names, 20)
    assert len(set(cut)) == 20
    assert max(map(len, cut)) <= 20
    assert cut[7] == "text…07…pout"


def test_short_names_stay_whole():
    """Beside long ones too."""
    assert told_apart(["rate", "a" * 40], 20)[0] == "rate"
    assert told_apart(["rate", "decay"], 20) == ["rate", "decay"]


def test_names_that_begin_alike_and_end_unlike():
    """The tail is what counts then."""
    assert len(set(told_apart([f"{'x' * 30}{end}" for end in "abc"], 12))) == 3


@pytest.mark.parametrize("text", ["a_long_name_of_a_parameter", "x" * 90, "a b c", "", "💥" * 30])
def test_wrapped_text_has_a_width_and_a_height(text):
    """At most three lines of twenty, whatever it is made of."""
    lines = wrapped(text, 20, 3).splitlines()
    assert len(lines) <= 4
    assert all(len(line) <= 20 for line in lines)


def test_control_characters_are_blanks():
    """They would be boxes, or worse."""
    assert shortened("a\x1b[31m\nb", 20) == "a [31m b"
