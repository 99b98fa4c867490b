"""The reference of reasons and conditions as Markdown, generated from their declarations.

`python -m kubetune.api.words FILE` writes it there; without a file it is printed.
"""

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from kubetune.domain.reasons import EventReason, StudyReason, TrialReason
from kubetune.domain.status import ConditionType
from kubetune.domain.words import Word

HEADER = """\
# Reasons and conditions

<!-- Generated from the declarations by `make generate`; edit those instead. -->

Every word that a trial, a study or an event carries, what it means, and what to do about it.
"""

PARTS = (
    (
        "Of a trial",
        "In `status.recent`, `kubetune trials` and the report; a message has the figures.",
        TrialReason,
    ),
    (
        "Conditions of a study",
        "In `status.conditions`; each has one of the study's reasons, and a message.",
        ConditionType,
    ),
    ("Of a study", "The reasons of those conditions.", StudyReason),
    (
        "Of events",
        "`kubectl describe tstudy NAME` shows them. Many of one kind are told as one.",
        EventReason,
    ),
)


def render() -> str:
    """The whole page."""
    return HEADER + "".join(
        f"\n## {title}\n\n{text}\n\n| word | means | to do |\n|---|---|---|\n"
        + "\n".join(_rows(words))
        + "\n"
        for title, text, words in PARTS
    )


def _rows(words: Iterable[Word]) -> Iterator[str]:
    for word in words:
        name = f"`{word.value}`" if word else "(none)"
        yield f"| {name} | {word.means} | {word.todo} |"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        Path(sys.argv[1]).write_text(render())
    else:
        sys.stdout.write(render())
