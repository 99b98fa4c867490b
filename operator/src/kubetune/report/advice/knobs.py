"""Advice on parameters that need no search any more."""

from collections.abc import Iterator

from kubetune.report import importance, top
from kubetune.report.findings import Findings
from kubetune.report.markdown import code, count, figure

KNOWN = 0.3
"""Of a model that explains less, it is not known what makes the difference."""

SLIGHT = 0.05
"""A larger share of the variance is never called nothing, nor one that is half of chance."""


def agreed(findings: Findings) -> Iterator[str]:
    """A value that all of the top have though others were tried."""
    leaders, ended = top.top(findings), findings.ended
    if findings.several or len(leaders) < top.SIZE or len(ended) < 2 * top.SIZE:
        return
    for name in findings.drawn:
        value = top.agreed(name, leaders)
        tried = {trial.parameters[name] for trial in ended if name in trial.active}
        if value is not None and len(tried) > 1:
            yield (
                f"{code(name)} is {figure(value)} in all of the top {len(leaders)}, and"
                f" {count(len(tried), 'value')} were tried: fix it, and search the rest."
            )


def idle(findings: Findings) -> Iterator[str]:
    """Parameters whose share is no more than chance gives, when enough trials say so."""
    best = findings.best
    if len(findings.importances) != len(findings.spec.objectives) or best is None:
        return
    if not all(_sure(one) for one in findings.importances):
        return
    settled = {name for name in findings.drawn if top.agreed(name, top.top(findings)) is not None}
    telling = {part.name for one in findings.importances for part in one.telling}
    names = [
        name
        for name in findings.drawn
        if name not in telling | settled
        and any(name == part.name for part in findings.importances[0].parameters)
        and all(_slight(one, name) for one in findings.importances)
        and not _interacts(findings, name)
    ]
    if not telling or not names:
        return
    listed = ", ".join(
        f"{code(name)} (best trial: {figure(best.parameters[name])})"
        for name in names
        if name in best.parameters
    )
    number, them = findings.importances[0].trials, "it" if len(names) == 1 else "them"
    yield (
        f"{listed} made no more difference than chance in {number} trials: fix {them} where a"
        " trial is cheapest, and search the rest."
    )


def _sure(one: importance.Importances) -> bool:
    return one.trials >= importance.FEW and one.explained >= KNOWN


def _slight(one: importance.Importances, name: str) -> bool:
    limit = min(SLIGHT, one.chance / 2)
    return all(part.share < limit for part in one.parameters if part.name == name)


def _interacts(findings: Findings, name: str) -> bool:
    return any(name in pair.names for one in findings.importances for pair in one.interactions)
