"""Foreign text in Markdown."""

import pytest

from kubetune.report.markdown import code, duration, figure


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "`plain`"),
        ("", ""),
        ("a\nb\r\n\n# c", "`a b # c`"),
        ("\x1b[31mred\x07\u202e", "`[31mred`"),
        ("a `b` c", "`` a `b` c ``"),
        ("``` x", "```` ``` x ````"),
        ("a|b", "`a\\|b`"),
        ("<b>[x](y)</b>", "`<b>[x](y)</b>`"),
    ],
)
def test_nothing_foreign_is_markup(text, shown):
    """One line, no control characters, inside a span that the text cannot end."""
    assert code(text) == shown


def test_long_text_is_cut():
    """A flood of words takes one short line."""
    assert len(code("x" * 10_000)) < 400


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.98123456, "0.9812"), (1e-5, "1e-05"), (64, "64"), (True, "true"), ("adam", "`adam`")],
)
def test_figures_are_short(value, shown):
    """Four digits tell trials apart; whole numbers stay whole."""
    assert figure(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(None, ""), (0.5, "0.5 s"), (42.4, "42 s"), (150, "2.5 min"), (7560, "2.1 h")],
)
def test_durations_have_the_unit_that_fits(seconds, shown):
    """Seconds, minutes or hours."""
    assert duration(seconds) == shown
