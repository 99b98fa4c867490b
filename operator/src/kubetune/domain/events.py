"""Things that happened, as values; announced only after they are stored."""

from dataclasses import dataclass

from kubetune.domain.reasons import EventReason


@dataclass(frozen=True, slots=True)
class Event:
    """One happening: a reason for programs, a sentence for people, the trial if it is about one."""

    reason: EventReason
    message: str
    number: int | None = None
    warning: bool = False
