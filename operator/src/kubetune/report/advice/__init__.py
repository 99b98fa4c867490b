"""What follows from a study's figures: one sentence of advice each, with the figures.

failing   reasons and marks that many trials share, memory, time that was wasted
progress  the baseline, the budget, how long the best is, where pruning cuts
rules     guards, classes and constraints that do not do what they are there for
edges     a best value at the end of its range, and the range to try next
knobs     parameters that do not matter, and those that the top agree on
"""

from collections.abc import Callable, Iterable

from kubetune.report.advice import edges, failing, knobs, progress, rules
from kubetune.report.findings import Findings

_NEW_STUDY = (
    "A study that has trials keeps its parameters: write the changed ones into a manifest with a"
    " new name."
)

ABOUT_TRIALS: tuple[Callable[[Findings], Iterable[str]], ...] = (
    progress.baseline,
    failing.reasons,
    failing.memory,
    failing.modes,
    failing.overfitted,
    failing.wasted,
    progress.budget,
    progress.few,
    progress.plateau,
    progress.late,
    progress.first_rung,
    rules.never_reported,
)

ABOUT_SPACE: tuple[Callable[[Findings], Iterable[str]], ...] = (
    rules.biting,
    edges.edges,
    knobs.agreed,
    knobs.idle,
)
"""What it takes another study to follow."""


def advice(findings: Findings) -> tuple[str, ...]:
    """Every piece of advice that the figures support; empty when nothing stands out."""
    about_trials = [text for rule in ABOUT_TRIALS for text in rule(findings)]
    about_space = [text for rule in ABOUT_SPACE for text in rule(findings)]
    return (*about_trials, *about_space, *([_NEW_STUDY] if about_space else []))
