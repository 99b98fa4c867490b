"""Where the study stands in its course, now that all results are in."""

from dataclasses import replace

from kubetune.domain import course, stopping
from kubetune.domain.draft import Draft


def look_where(draft: Draft) -> Draft:
    """Notes the phase that trials are drawn in, or that the study has ended."""
    spec, seen, trials = draft.spec, draft.seen, tuple(draft.trials.values())
    exhausted = () if stopping.pending_initial(spec, trials) else seen.exhausted
    place = course.place(spec, trials, exhausted, seen.classified)
    end = stopping.decide(spec, trials, best=draft.best, place=place, now=seen.now)
    return replace(draft, place=place, end=end)
