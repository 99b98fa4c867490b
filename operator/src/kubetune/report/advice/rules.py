"""Advice on guards, classes, limits and constraints."""

from collections.abc import Iterator

from kubetune.domain.expressions import Expression
from kubetune.report.findings import Findings
from kubetune.report.markdown import code

MAPS = frozenset({"metrics", "previous", "best"})
LEAST = 10
"""So few draws turned down are no trouble."""


def never_reported(findings: Findings) -> Iterator[str]:
    """A guard or class that could never hold, because nobody reported its metric."""
    reported = {
        name for trial in findings.trials for point in trial.curve for name in point.metrics
    }
    at_end = reported | {
        name for trial in findings.ended if trial.outcome for name in trial.outcome.metrics
    }
    if not at_end:
        return
    spec = findings.spec
    rules = [("guard", one.name, one.when, reported) for one in spec.guards]
    rules += [("outcome class", one.name, one.when, at_end) for one in spec.outcomes]
    for kind, name, when, known in rules:
        if absent := _absent(when, known):
            listed = ", ".join(map(code, absent))
            some = ", ".join(map(code, sorted(known)[:8])) or "nothing while they ran"
            yield (
                f"The {kind} {code(name)} could not hold: no trial reported {listed}."
                f" Reported were {some}."
            )


def biting(findings: Findings) -> Iterator[str]:
    """A constraint that turned down more draws than were launched."""
    drawn = sum(not trial.initial for trial in findings.trials)
    for name, number in findings.counts.rejected.items():
        if number >= LEAST and number > drawn:
            yield (
                f"The constraint {code(name)} turned down {number} draws for {drawn} that were"
                " launched: most of the space is forbidden, and the sampler learns little there."
                " Move the ranges to what it allows."
            )


def _absent(when: Expression, known: set[str]) -> list[str]:
    """The metrics that an expression needs and that are not known.

    Where it has an alternative, what one side needs may be missing: then nothing is said unless
    all are.
    """
    needed = {key for group, key in when.fields if group in MAPS}
    absent = sorted(needed - known)
    if "||" in when.text and len(absent) < len(needed):
        return []
    if "||" in when.text and when.names - MAPS:
        return []
    return absent
