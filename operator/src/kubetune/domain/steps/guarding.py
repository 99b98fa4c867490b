"""The study's guards over what a trial reported since the last pass."""

from kubetune.domain import guards
from kubetune.domain.draft import Draft
from kubetune.domain.observation import Reading
from kubetune.domain.runs import Run, RunState
from kubetune.domain.verdict import Verdict


def verdict(draft: Draft, run: Run) -> Verdict | None:
    """What the guards say of a trial's new points; nothing when there are none.

    Points of a run that has ended may all have come with its result: when each was reported is
    not known then, only that the last one was at the end.
    """
    points = draft.fresh.get(run.number, ())
    if not points:
        return None
    ended = run.state is RunState.ENDED
    reading = draft.seen.readings.get(run.number, Reading())
    return guards.check(
        draft.spec,
        draft.before[run.number],
        sorted(points, key=lambda point: point.step),
        best=draft.best.outcome.metrics if draft.best and draft.best.outcome else {},
        elapsed_seconds=elapsed_seconds(draft, run),
        progress=1.0 if ended else reading.progress,
        at_once=ended,
    )


def elapsed_seconds(draft: Draft, run: Run) -> float:
    """How long a run has run; a start that another machine's clock puts into the future is now."""
    if run.started_at is None:
        return 0.0
    until = draft.seen.now if run.ended_at is None else run.ended_at
    return max(0.0, until - run.started_at)
