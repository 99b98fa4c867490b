"""Rules of the generated reference of reasons."""

import pytest

from kubetune.api import words
from kubetune.domain.reasons import EventReason, StudyReason, TrialReason
from kubetune.domain.status import ConditionType

WORDS = [*TrialReason, *StudyReason, *EventReason, *ConditionType]

WELL = {TrialReason.NONE, TrialReason.PRUNED, TrialReason.PATIENCE_EXHAUSTED, TrialReason.IMPORTED}
NOBODY_S = {TrialReason.CANCELLED, TrialReason.SUSPENDED, TrialReason.OUTCOME_CONSTRAINT_BROKEN}


@pytest.mark.parametrize("word", WORDS, ids=repr)
def test_every_word_is_explained(word) -> None:
    """In a sentence that stands in a cell of a table."""
    assert word.means
    for text in (word.means, word.todo):
        assert not text.endswith(".")
        assert not set(text) & set("|\n")


@pytest.mark.parametrize("reason", sorted(set(TrialReason) - WELL - NOBODY_S), ids=str)
def test_a_failure_says_what_to_do(reason) -> None:
    """Who meets the word for the first time has a next step."""
    assert reason.todo


def test_the_page_misses_no_word() -> None:
    """Whatever can be seen is described."""
    page = words.render()
    assert [word for word in WORDS if word and f"| `{word}` | {word.means} |" not in page] == []
