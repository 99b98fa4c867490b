"""How reliably trials fall into the study's own classes."""

import math
from dataclasses import dataclass

from kubetune.domain import classes, course
from kubetune.report.findings import Findings

SIGMAS = 1.96
"""Of 20 such ranges 19 hold the truth."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the search's ended trials are in a class, and how many it may be in truth."""

    name: str
    trials: int
    of: int
    low: float
    high: float


def stability(findings: Findings) -> tuple[Share, ...]:
    """Each class in the study's order; last, where there are some, the trials in no class.

    Of the search alone: finals run the best again, which would make the shares look better.
    """
    ended = tuple(course.search(findings.ended))
    if not findings.spec.outcomes or not ended:
        return ()
    found = [classes.of(findings.spec, trial) for trial in ended]
    shares = [
        _share(outcome.name, sum(outcome.name in names for names in found), len(ended))
        for outcome in findings.spec.outcomes
    ]
    none = sum(not names for names in found)
    return (*shares, *([_share("", none, len(ended))] if none else []))


def _share(name: str, number: int, of: int) -> Share:
    """With the interval of Wilson (1927), which holds for few trials and shares near 0 too."""
    share, square = number / of, SIGMAS**2
    middle = (share + square / (2 * of)) / (1 + square / of)
    spread = share * (1 - share) / of + square / (4 * of**2)
    half = SIGMAS * math.sqrt(spread) / (1 + square / of)
    return Share(name, number, of, max(middle - half, 0.0), min(middle + half, 1.0))
