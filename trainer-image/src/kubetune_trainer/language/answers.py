"""Generated answers sorted into correct, wrong and of no usable format."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from kubetune_trainer.exits import BadConfiguration


class Verdict(StrEnum):
    """What an answer is."""

    CORRECT = "correct"
    WRONG = "wrong"
    FORMAT_FAILURE = "format_failure"


@dataclass(frozen=True, slots=True)
class Judge:
    """Compares what was generated with what is known.

    `pattern` finds the answer within the text, its first group that is there, or the whole
    match; a text without it is of no usable format. Without a pattern the whole text is the
    answer, and a text that is empty or did not come to its end is of none. Letter case and spaces
    do not count.
    """

    pattern: str = ""

    def __post_init__(self) -> None:
        """Refuses what is no pattern.

        Raises:
            BadConfiguration: with what is wrong.
        """
        try:
            re.compile(self.pattern)
        except re.error as error:
            raise BadConfiguration(f"answer_pattern: {self.pattern!r}: {error}") from None

    def verdict(self, generated: str, known: str, *, ended: bool) -> Verdict:
        """Sorts one answer. `ended`: the model itself came to an end."""
        found = self._found(generated) if self.pattern or ended else None
        if found is None or not _plain(found):
            return Verdict.FORMAT_FAILURE
        wanted = self._found(known)
        right = _plain(found) == _plain(known if wanted is None else wanted)
        return Verdict.CORRECT if right else Verdict.WRONG

    def _found(self, text: str) -> str | None:
        if not self.pattern:
            return text
        match = re.search(self.pattern, text, re.DOTALL)
        if match is None:
            return None
        found = (group for group in match.groups() if group is not None)
        return next(found, "" if match.re.groups else match.group())


def shares(verdicts: Iterable[Verdict]) -> Mapping[str, float]:
    """`eval_accuracy`, `eval_wrong_share` and `eval_format_failure_share`; they sum up to 1."""
    found = list(verdicts)
    names = {
        "eval_accuracy": Verdict.CORRECT,
        "eval_wrong_share": Verdict.WRONG,
        "eval_format_failure_share": Verdict.FORMAT_FAILURE,
    }
    return {name: found.count(verdict) / max(1, len(found)) for name, verdict in names.items()}


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
