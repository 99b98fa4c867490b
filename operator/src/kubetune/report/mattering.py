"""The section on which parameters matter, and how sure that is."""

from kubetune.report import markdown
from kubetune.report.findings import Findings
from kubetune.report.importance import FEW, LEAST, Importance, Importances
from kubetune.report.markdown import code, count, figure

SHOWN = 12
"""So many parameters are listed."""

VALUES = 4
"""So many of a list's best values are named."""

METHOD = (
    "By functional ANOVA over 50 regression trees (fANOVA), on the scales that were searched. A"
    " share is what one parameter alone moves, the others drawn alike. Trials that were stopped"
    " early count as bad as the worst value, or worse, and so do those that failed by their own"
    " fault. `chance` is half as much again as the most that shuffled copies of the"
    " parameters reach."
)


def mattering(findings: Findings) -> str:
    """A table for each objective, and what to make of it."""
    if len(findings.drawn) < 2 or findings.best is None:  # noqa: PLR2004 - one has nothing to be compared with
        return ""
    if not findings.importances:
        ended = len(findings.ended)
        return (
            f"Nothing can be said yet: it takes {LEAST} trials that differ in what came of them,"
            f" and {count(ended, 'trial')} ended."
        )
    return "\n\n".join([METHOD, *(_objective(findings, one) for one in findings.importances)])


def _objective(findings: Findings, one: Importances) -> str:
    parts = [f"### {code(one.metric)}"] if findings.several else []
    parts.append(_trust(one))
    parts.append(_table(one))
    if more := len(one.parameters) - SHOWN:
        parts += [f"{count(more, 'more parameter')} below these."] if more > 0 else []
    parts.append(_pairs(one))
    return "\n\n".join(parts)


def _trust(one: Importances) -> str:
    """How far the figures can be trusted, in plain words."""
    foretold = f"{max(one.explained, 0.0):.0%}".replace("%", " %")
    text = (
        f"From {count(one.trials, 'trial')}; the trees foretell {foretold} of the variance of"
        " trials they have not seen."
    )
    if not one.sound:
        return f"{text} That is next to nothing: do not act on these figures."
    if one.trials < FEW:
        return f"{text} So few trials make rough figures: more will move them."
    return text


def _table(one: Importances) -> str:
    telling = set(one.telling)
    rows = [
        (
            code(part.name),
            _percent(part.share),
            f"{_percent(part.low)} to {_percent(part.high)}",
            "yes" if part in telling else "no",
            _best(part) if part in telling else "",
        )
        for part in one.parameters[:SHOWN]
    ]
    rows.append(("chance", _percent(one.chance), "", "", ""))
    header = ("parameter", "share", "in 8 of 10 trees", "more than chance", "best where")
    return markdown.table(header, rows)


def _best(part: Importance) -> str:
    if part.ranged:
        low, high = part.best
        return f"{_two(low)} to {_two(high)}"
    named = ", ".join(figure(value) for value in part.best[:VALUES])
    more = len(part.best) - VALUES
    return f"{named} and {more} more" if more > 0 else named


def _pairs(one: Importances) -> str:
    chance = _percent(one.pair_chance)
    if one.interactions:
        listed = "; ".join(
            f"{code(pair.names[0])} with {code(pair.names[1])} {_percent(pair.share)}"
            for pair in one.interactions[:3]
        )
        return (
            f"Together, beyond what each does alone: {listed} (chance: {chance})."
            " The best value of one depends on the other: change them together."
        )
    return f"No two of the first five act together more than chance gives ({chance})."


def _percent(share: float) -> str:
    if 0 < share < 0.001:  # noqa: PLR2004 - not nothing
        return "below 0.1 %"
    return (f"{share:.1%}" if share < 0.1 else f"{share:.0%}").replace("%", " %")  # noqa: PLR2004 - digits


def _two(value: object) -> str:
    """A bound of a sixteenth of a range is no finer than two digits."""
    return f"{value:.2g}" if isinstance(value, float) else figure(value)
