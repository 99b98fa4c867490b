"""What became of a plan's actions."""

from dataclasses import dataclass, field

from kubetune.domain.actions import Action, LaunchTrial, RecordPoints, RetryTrial, TellResult
from kubetune.domain.events import Event
from kubetune.domain.ports import StorageUnreachable
from kubetune.domain.reasons import EventReason
from kubetune.domain.trial import Trial


@dataclass(slots=True)
class Done:
    """What became of a list of actions.

    `undone` names the trials whose results could not be stored, `unlaunched` those whose runs
    could not be started: what the plan says of that is not announced. `drawn` are the new trials,
    `events` those that only acting could tell. `exhausted`: phases in which no
    trial is left to draw.
    `unreachable`: how the database went away; the actions after that were not tried. `error` is the
    first exception that nobody expected; what did not depend on it was done all the same.
    """

    changed: bool = False
    undone: set[int] = field(default_factory=set)
    unlaunched: set[int] = field(default_factory=set)
    drawn: list[Trial] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    exhausted: set[str] = field(default_factory=set)
    unreachable: StorageUnreachable | None = None
    error: Exception | None = None

    def leave(self, action: Action) -> None:
        """Notes that an action was not carried out."""
        match action:
            case RecordPoints(number=number) | TellResult(number=number):
                self.undone.add(number)
            case RetryTrial(number=number):
                self.undone.add(number)
            case LaunchTrial(number=number):
                self.unlaunched.add(number)
            case _:
                pass

    def announces(self, event: Event) -> bool:
        """Whether what an event says has come true."""
        if event.reason is EventReason.TRIAL_LAUNCHED and event.number in self.unlaunched:
            return False
        return event.number not in self.undone
