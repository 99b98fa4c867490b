"""What one pass decided."""

from dataclasses import dataclass

from kubetune.domain.actions import Action
from kubetune.domain.events import Event
from kubetune.domain.status import StudyStatus


@dataclass(frozen=True, slots=True)
class Plan:
    """Actions in order, the status to show, events to announce, and when to look again.

    `wake_after_seconds` is None when only a change of a run can bring anything new. `awaited` are
    the uids of ended runs that are not judged yet, because their last values may still arrive.
    """

    actions: tuple[Action, ...]
    status: StudyStatus
    events: tuple[Event, ...] = ()
    wake_after_seconds: float | None = None
    awaited: frozenset[str] = frozenset()
