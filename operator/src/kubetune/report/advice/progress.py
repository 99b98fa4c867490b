"""Advice on how far the search has come."""

from collections.abc import Iterator

from kubetune.domain import course, ranking
from kubetune.domain.reasons import StudyReason, TrialReason
from kubetune.domain.study import PrunerAlgorithm
from kubetune.domain.trial import TrialState
from kubetune.report.findings import Findings
from kubetune.report.markdown import count

ENOUGH = 2
"""Complete trials wanted for each parameter before the best one is more than luck."""

LAST = 10
"""At least so many trials that brought next to nothing are a plateau."""

NEXT_TO_NOTHING = 0.01

MORE = 0.1
"""Cut at the first rung beyond what its factor asks for, as a share of trials, is a lot."""

_RUNGS = frozenset({PrunerAlgorithm.ASHA, PrunerAlgorithm.HYPERBAND})


def baseline(findings: Findings) -> Iterator[str]:
    """Nothing better than what was known."""
    best, known = findings.best, findings.baseline
    if not findings.several and best and known and best.number == known.number:
        others = len(findings.ranked) - 1
        yield (
            f"The baseline was not beaten by {count(others, 'other complete trial')}: search"
            " closer around it, or give the study more trials."
        )


def budget(findings: Findings) -> Iterator[str]:
    """Trials that were asked for and not drawn."""
    used, limit = course.counted(findings.trials), findings.spec.trials.max
    end = findings.end
    if not findings.known or used >= limit:
        return
    if end is None and findings.spec.suspend:
        yield "The study is suspended: set `spec.suspend` to false, then run the same command."
    elif end is None:
        asked = count(limit, "trial")
        yield f"{used} of the {asked} asked for were drawn: the same command goes on."
    elif end.reason is StudyReason.TARGET_REACHED:
        yield f"The target was reached after {used} of {limit} trials: a better one may be too."
    elif end.reason is StudyReason.TOO_MANY_FAILURES:
        yield f"The study stopped after {used} of {limit} trials: mend what fails, then go on."
    elif end.reason is StudyReason.SPACE_EXHAUSTED:
        yield f"The space held {used} of {limit} trials: finer steps or wider ranges hold more."
    else:
        yield f"{used} of {count(limit, 'trial')} were used: the rest is left for another search."


def few(findings: Findings) -> Iterator[str]:
    """Too few complete trials for so many parameters."""
    complete, parameters = findings.counts.complete, len(findings.drawn)
    if complete and complete < ENOUGH * parameters:
        number = f"{count(complete, 'complete trial')} for {count(parameters, 'parameter')}"
        yield f"There are only {number}: with more, luck matters less."


def last(findings: Findings) -> int:
    """How many trials are the last: of many a tenth."""
    return max(LAST, len(findings.ended) // 10)


def gain(findings: Findings) -> float | None:
    """What the last trials brought, as a share of the best before them; None of too few."""
    number = last(findings)
    spec, ended = (
        findings.spec,
        sorted(course.search(findings.ended), key=lambda trial: trial.number),
    )
    if findings.several or len(ended) < 2 * number:
        return None
    before, after = ranking.best(spec, ended[:-number]), ranking.best(spec, ended)
    if before is None or after is None or before.value is None or after.value is None:
        return None
    return ranking.improvement(spec, after.value, before.value)


def plateau(findings: Findings) -> Iterator[str]:
    """The last trials brought next to nothing."""
    brought = gain(findings)
    if brought is not None and brought < NEXT_TO_NOTHING:
        share = f"{brought + 0.0:.1%}".replace("%", " %")
        yield (
            f"The last {last(findings)} trials improved the best by {share}, less than 1 %: more"
            " of the same search will bring little. Narrow the ranges around the best, or change"
            " what is searched over."
        )


def late(findings: Findings) -> Iterator[str]:
    """A best that came at the end, unless it is hardly better than what was there."""
    best, total = findings.best, len(findings.trials)
    if findings.several or best is None or best.state is not TrialState.COMPLETE:
        return
    brought = gain(findings)
    if brought is not None and brought < NEXT_TO_NOTHING:
        return
    if total >= LAST and best.number >= 0.8 * total:
        place = f"trial {best.number}, the last being {findings.trials[-1].number}"
        yield f"The best came late ({place}): more trials may well beat it."


def first_rung(findings: Findings) -> Iterator[str]:
    """More trials cut at the first rung than the pruner's factor asks for."""
    pruner, ended = findings.spec.pruner, findings.ended
    if pruner.algorithm not in _RUNGS or len(ended) < LAST:
        return
    second = pruner.min_resource * pruner.reduction_factor
    early = sum(
        trial.state is TrialState.PRUNED
        and trial.outcome is not None
        and trial.outcome.reason is TrialReason.PRUNED
        and bool(trial.curve)
        and trial.curve[-1].step < second
        for trial in ended
    )
    if early > (1 - 1 / pruner.reduction_factor + MORE) * len(ended):
        yield (
            f"{early} of {len(ended)} trials were stopped at the first rung, step"
            f" {pruner.min_resource:.6g}: what they showed so early may not tell how they would"
            f" have ended. Raise `pruner.minResource`, to {second:.6g} say."
        )
