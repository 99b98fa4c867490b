"""Answers sorted into correct, wrong and of no usable format."""

import pytest

from kubetune_trainer.exits import BadConfiguration
from kubetune_trainer.language.answers import Judge, Verdict, shares

RIGHT, WRONG, UNUSABLE = Verdict.CORRECT, Verdict.WRONG, Verdict.FORMAT_FAILURE


@pytest.mark.parametrize(
    ("pattern", "generated", "known", "ended", "verdict"),
    [
        ("", "An  animal\n", "an animal", True, RIGHT),
        ("", "a plant", "an animal", True, WRONG),
        ("", "", "an animal", True, UNUSABLE),
        ("", " \n", "an animal", True, UNUSABLE),
        ("", "an animal", "an animal", False, UNUSABLE),
        (r"#### (\d+)", "so it is\n#### 42 and", "so\n#### 42", False, RIGHT),
        (r"#### (\d+)", "#### 41", "#### 42", True, WRONG),
        (r"#### (\d+)", "42", "#### 42", True, UNUSABLE),
        (r"#### (\d+)", "#### 42", "42", True, RIGHT),
        (r"\d+", "it is 42 or 43", "42", True, RIGHT),
        (r"<a>(.*?)</a>", "<a>\none\ntwo </a>", "<a>One two</a>", True, RIGHT),
        (r"<a>(.*?)</a>", "<a></a>", "<a>one</a>", True, UNUSABLE),
        (r"(yes)|(no)", "no", "no", True, RIGHT),
    ],
)
def test_verdicts(pattern, generated, known, ended, verdict):
    """By the pattern's first group, or the whole text; letter case and spaces do not count."""
    assert Judge(pattern).verdict(generated, known, ended=ended) is verdict


def test_shares_sum_up():
    """Three shares of all answers."""
    found = shares([RIGHT, RIGHT, WRONG, UNUSABLE])
    assert dict(found) == {
        "eval_accuracy": 0.5,
        "eval_wrong_share": 0.25,
        "eval_format_failure_share": 0.25,
    }


def test_a_pattern_that_is_none():
    """It is refused with what is wrong."""
    with pytest.raises(BadConfiguration, match=r"answer_pattern: '\(': missing \)"):
        Judge("(")
