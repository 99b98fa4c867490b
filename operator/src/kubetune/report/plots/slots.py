"""Which trial ran on which slot, and when: worked out from the times of its start and end."""

from collections.abc import Sequence
from dataclasses import dataclass

from kubetune.domain.trial import Trial

UNITS = ((1.0, "seconds"), (60.0, "minutes"), (3600.0, "hours"), (86400.0, "days"))
ENOUGH = 3
"""A unit is taken of which there are at least so many."""

GAP = 0.1
"""A pause of everything longer than this share of the rest is cut out."""


@dataclass(frozen=True, slots=True)
class Span:
    """One trial on one slot, in seconds since the first start, pauses of the study left out."""

    trial: Trial
    slot: int
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class Schedule:
    """All spans, how many slots they take, and where pauses were cut out: (time, seconds)."""

    spans: tuple[Span, ...]
    slots: int
    length: float
    pauses: tuple[tuple[float, float], ...]


def schedule(trials: Sequence[Trial]) -> Schedule:
    """Puts each trial on the lowest slot that is free when it starts.

    A trial that still runs lasts until the last time that is known.
    """
    times = [
        (trial.started_at, trial.ended_at, trial)
        for trial in trials
        if trial.started_at is not None
        and (trial.ended_at is None or trial.ended_at >= trial.started_at)
    ]
    if not times:
        return Schedule((), 0, 0.0, ())
    times.sort(key=lambda entry: (entry[0], entry[2].number))
    known = [time for start, end, _ in times for time in (start, end) if time is not None]
    first, last = min(known), max(known)
    free: list[float] = []
    placed = []
    for start, told, trial in times:
        end = last if told is None else told
        slot = next((index for index, time in enumerate(free) if time <= start + 1e-6), len(free))
        free[slot : slot + 1] = [end]
        placed.append(Span(trial, slot, start - first, end - first))
    return _without_pauses(placed, len(free))


def unit(seconds: float) -> tuple[float, str]:
    """The unit of time that fits a length."""
    return next((found for found in reversed(UNITS) if seconds >= ENOUGH * found[0]), UNITS[0])


def _without_pauses(spans: list[Span], slots: int) -> Schedule:
    """Moves what follows a long pause of everything close to what was before it."""
    busy, until = 0.0, 0.0
    holes: list[tuple[float, float]] = []
    for span in spans:
        if span.start > until:
            holes.append((until, span.start))
        busy += max(span.end - max(span.start, until), 0.0)
        until = max(until, span.end)
    long = [(start, end) for start, end in holes if end - start > GAP * busy]
    keep = 0.02 * busy

    def moved(time: float) -> float:
        return time - sum(end - start - keep for start, end in long if end <= time)

    shown = tuple(Span(one.trial, one.slot, moved(one.start), moved(one.end)) for one in spans)
    pauses = tuple((moved(end) - keep / 2, end - start) for start, end in long)
    return Schedule(shown, slots, moved(until), pauses)
