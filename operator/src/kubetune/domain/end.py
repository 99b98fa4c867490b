"""The end of a study's search."""

from dataclasses import dataclass

from kubetune.domain.reasons import StudyReason


@dataclass(frozen=True, slots=True)
class End:
    """Why a study has ended, in a word and in a sentence with figures."""

    reason: StudyReason
    succeeded: bool
    message: str
