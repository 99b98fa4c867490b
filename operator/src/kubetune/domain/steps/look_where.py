"""Where the study stands in its course, now that all results are in."""

from dataclasses import replace

from kubetune.domain import budget, course, finalists, stopping
from kubetune.domain.draft import Draft


def look_where(draft: Draft) -> Draft:
    """Notes the phase that trials are drawn in, that the finals are on, or that all is over."""
    spec, seen, trials = draft.spec, draft.seen, tuple(draft.trials.values())
    exhausted = () if stopping.pending_initial(spec, trials) else seen.exhausted
    place = course.place(spec, trials, exhausted, seen.classified)
    end = stopping.decide(spec, trials, best=draft.best, place=place, now=seen.now)
    draft = replace(draft, place=place, search_end=end)
    if end is None:
        return draft
    if not end.succeeded:
        return replace(draft, end=end)
    finals = finalists.finals(spec, trials)
    over = finals.over or budget.used_up(spec, trials, seen.now) is not None
    return replace(draft, finals=finals, end=end if over else None)
