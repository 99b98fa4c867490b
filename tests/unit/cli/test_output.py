"""Text from strangers, figures and exit codes."""

import pytest

from kubetune.cli import output
from kubetune.cli.output import Exit


@pytest.mark.parametrize(
    "hostile",
    ["\x1b[31mred", "two\nlines", "a\rb", "tab\there", "bell\x07", "c1\x9b31m", "\u202ereversed"],
)
def test_cleaned_text_is_one_printable_line(hostile: str) -> None:
    """Nothing that steers a terminal passes."""
    assert output.clean(hostile).isprintable()


def test_cleaned_text_is_cut() -> None:
    """Long text ends in an ellipsis at its limit."""
    assert output.clean("x" * 500, 10) == "x" * 9 + "…"


def test_cleaned_text_keeps_what_people_write() -> None:
    """Letters of any script, brackets and signs are left as they are."""
    assert output.clean("größe [bold] 数 <b>") == "größe [bold] 数 <b>"


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.123456, "0.1235"), (6e-5, "6e-05"), (3, "3"), (True, "True"), ("a\x1bb", "a b")],
)
def test_figures_are_short(value: object, shown: str) -> None:
    """Floats have four digits, the rest is shown as it is, harmless."""
    assert output.figure(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.9, "0 s"), (59.9, "59 s"), (60, "1 min 00 s"), (185, "3 min 05 s"), (7620, "2 h 07 min")],
)
def test_durations_have_two_units_at_most(seconds: float, shown: str) -> None:
    """Seconds, minutes, hours: as a person would say it."""
    assert output.duration(seconds) == shown


@pytest.mark.parametrize(("number", "shown"), [(0, "0 trials"), (1, "1 trial"), (2, "2 trials")])
def test_one_is_singular(number: int, shown: str) -> None:
    """Counts agree with their noun."""
    assert output.count(number, "trial") == shown


def test_failing_speaks_on_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    """Standard output stays clean for programs; the exit code says what kind of failure it is."""
    with pytest.raises(SystemExit) as ended:
        output.fail("no such\x1b folder")
    assert ended.value.code == Exit.UNUSABLE == 2
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "kubetune: no such  folder\n")
