"""The finals: what the best configurations showed when they were run again."""

from statistics import fmean

from kubetune.domain import candidates, sentences, shortfalls
from kubetune.domain.finalists import Finalist, Finals
from kubetune.domain.values import Assignment
from kubetune.report import markdown
from kubetune.report.findings import Findings
from kubetune.report.markdown import code, count, figure


def finals(findings: Findings) -> str:
    """Each configuration's runs, the best first, and what the winner showed in the end."""
    wanted, held = findings.spec.finalists, findings.finals
    if wanted is None:
        return ""
    short = shortfalls.sentence(findings.spec, held, ended=findings.end is not None)
    short = f"{short[:1].upper()}{short[1:]}." if short else ""
    if not held.finalists:
        return short
    metric = findings.spec.objective.metric
    rows = [_row(each) for each in held.finalists]
    ranked = f"{wanted.rank_by.value.lower()} {code(metric)}"
    header = ("trial", "in the search", ranked, "95 % interval of the mean", "runs")
    text = markdown.table(header, rows)
    value = sentences.held_out(findings.spec, held)
    if value is not None and held.winner and wanted.held_out_metric:
        text += (
            f"\n\nTrial {held.winner.trial.number} was then trained once more, and showed"
            f" {code(wanted.held_out_metric)} {figure(value)} on data that nothing else opened:"
            " that is the figure to quote."
        )
    return "\n\n".join(part for part in (text, _alike(held), short) if part)


def retrained(findings: Findings) -> tuple[Assignment, int]:
    """What the best configuration is trained again with: parameters and seed."""
    best, wanted = findings.best, findings.spec.finalists
    assert best is not None
    if findings.finals.winner is None or wanted is None:
        return best.parameters, best.seed
    return candidates.parameters(findings.spec, best, findings.trials), wanted.seeds[0]


def _alike(held: Finals) -> str:
    """Who might as well have won, for all that so few seeds can tell; empty for nobody."""
    first = held.winner
    if first is None or first.low is None or first.high is None:
        return ""
    alike = [
        str(each.trial.number)
        for each in held.finalists
        if each is not first and each.values and first.low <= fmean(each.values) <= first.high
    ]
    if not alike:
        return ""
    means = f"means of trials {', '.join(alike)}" if alike[1:] else f"mean of trial {alike[0]}"
    return (
        f"The winner's interval holds the {means}: {count(len(first.values), 'run')} each do not"
        " tell them apart. Take the cheapest, or add seeds."
    )


def _row(each: Finalist) -> tuple[str, ...]:
    interval = "" if each.low is None else f"{figure(each.low)} to {figure(each.high)}"
    runs = ", ".join(figure(value) for value in each.values)
    failed = f"{count(each.failed, 'run')} not complete" if each.failed else ""
    adjusted = f"{each.adjusted} with other values after an out-of-memory" if each.adjusted else ""
    told = "; ".join(part for part in (runs, failed, adjusted) if part)
    return str(each.trial.number), figure(each.trial.value), figure(each.score), interval, told
