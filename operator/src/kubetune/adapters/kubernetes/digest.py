"""Many happenings told as few: one sentence a reason, however many there were."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from kubetune.domain.events import Event
from kubetune.domain.reasons import EventReason

MESSAGE_LIMIT = 1024
"""Bytes of an event's message, by Kubernetes' own rule."""

_SUMMARY_LIMIT = 512
"""Bytes of a message that stands for many: as long as a person reads in a list of them."""

_MORE = " ..."
_SENTENCES, _RANGES = 16, 12
"""At most so many sentences are kept of one reason, and so many ranges of trials are named."""

_HEADS = {
    EventReason.TRIAL_LAUNCHED: "{} launched",
    EventReason.TRIAL_COMPLETED: "{} completed",
    EventReason.TRIAL_PRUNED: "{} pruned",
    EventReason.TRIAL_FAILED: "{} failed",
    EventReason.TRIAL_INFEASIBLE: "{} infeasible",
    EventReason.TRIAL_RETRIED: "{} tried again",
    EventReason.TRIAL_STOPPED: "{} stopped",
    EventReason.DRAW_REJECTED: "draws turned down before {}",
}


@dataclass(frozen=True, slots=True)
class Notice:
    """What one Kubernetes event says; `count` times from `first_at` to `last_at`, Unix seconds."""

    reason: EventReason
    warning: bool
    message: str
    count: int
    first_at: float
    last_at: float


@dataclass(slots=True)
class Digest:
    """All that happened for one reason since it was last told; its size is bounded."""

    reason: EventReason
    warning: bool
    first_at: float
    last_at: float
    count: int = 0
    numbers: set[int] = field(default_factory=set)
    sentences: dict[str, None] = field(default_factory=dict)

    @property
    def of_study(self) -> bool:
        """Whether it is about the study itself, not about trials."""
        return self.reason not in _HEADS

    def add(self, event: Event, now: float) -> None:
        """Takes one more happening."""
        self.count += 1
        self.last_at = now
        if event.number is not None:
            self.numbers.add(event.number)
        if len(self.sentences) < _SENTENCES:
            self.sentences[event.message] = None

    def merge(self, other: "Digest") -> None:
        """Takes what happened later."""
        self.count += other.count
        self.last_at = other.last_at
        self.numbers |= other.numbers
        for sentence in other.sentences:
            if len(self.sentences) < _SENTENCES:
                self.sentences[sentence] = None

    def notice(self) -> Notice:
        """One sentence as it is; of several, which trials, then the first few."""
        single = len(self.sentences) == 1
        text = _clean(next(iter(self.sentences)) if single else self._summary())
        count = self.count if single else 1
        return Notice(self.reason, self.warning, text, count, self.first_at, self.last_at)

    def _summary(self) -> str:
        head = f"{self._head()}. " if self.numbers else ""
        told = ""
        for sentence in self.sentences:
            longer = f"{told}; {sentence}" if told else sentence
            if told and len((head + longer).encode()) > _SUMMARY_LIMIT - len(_MORE):
                return head + told + _MORE
            told = longer
        return head + told + (_MORE if len(self.sentences) == _SENTENCES else "")

    def _head(self) -> str:
        trials = "1 trial" if len(self.numbers) == 1 else f"{len(self.numbers)} trials"
        head = _HEADS.get(self.reason, "{}").format(trials)
        return f"{head}: {ranges(self.numbers)}"


class Digests:
    """One digest a reason, oldest first."""

    def __init__(self) -> None:
        self._digests: dict[tuple[EventReason, bool], Digest] = {}

    def __bool__(self) -> bool:
        return bool(self._digests)

    def __iter__(self) -> Iterator[Digest]:
        return iter(self._digests.values())

    def add(self, events: Iterable[Event], now: float) -> None:
        """Takes what happened, in order."""
        for event in events:
            key = (event.reason, event.warning)
            empty = Digest(*key, first_at=now, last_at=now)
            self._digests.setdefault(key, empty).add(event, now)

    def merge(self, later: "Digests") -> None:
        """Takes what happened later."""
        for digest in later:
            key = (digest.reason, digest.warning)
            if key in self._digests:
                self._digests[key].merge(digest)
            else:
                self._digests[key] = digest

    def pop(self) -> Notice:
        """Takes out what is to be told next: the oldest warning, else the oldest."""
        key = next((key for key in self._digests if key[1]), next(iter(self._digests)))
        return self._digests.pop(key).notice()


def ranges(numbers: Iterable[int]) -> str:
    """Numbers as people write them: `1-3, 7`; the last of very many are only counted."""
    ordered = sorted(numbers)
    starts = [ordered[0]] + [b for a, b in pairwise(ordered) if b > a + 1]
    ends = [a for a, b in pairwise(ordered) if b > a + 1] + [ordered[-1]]
    spans = list(zip(starts, ends, strict=True))
    told = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in spans[:_RANGES])
    left = sum(b - a + 1 for a, b in spans[_RANGES:])
    return told + (f" and {left} more" if left else "")


def _clean(text: str) -> str:
    """One printable line of at most MESSAGE_LIMIT bytes: parts of it are what trials said."""
    line = "".join(char if char.isprintable() else " " for char in text)
    raw = line.encode()
    if len(raw) <= MESSAGE_LIMIT:
        return line
    return raw[: MESSAGE_LIMIT - len(_MORE)].decode(errors="ignore") + _MORE
