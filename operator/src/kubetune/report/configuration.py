"""best_config.yaml: the best trial's parameters, ready to train with again."""

import re
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.representer import SafeRepresenter

from kubetune.api.scalars import teach
from kubetune.domain.trial import Trial
from kubetune.report.finals import retrained
from kubetune.report.findings import Findings

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")


class _Representer(SafeRepresenter):
    """Writes numbers and text so that readers of YAML 1.1 and 1.2 understand the same."""


def configuration(findings: Findings) -> str | None:
    """The whole file; None without a complete, feasible trial."""
    best = findings.best
    if best is None or best.outcome is None:
        return None
    stream = StringIO()
    writer = YAML(typ="safe", pure=True)
    writer.Representer = _Representer
    writer.default_flow_style = False
    writer.allow_unicode = True
    writer.width = 1000
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment] # None at first
    writer.dump(_data(findings, best), stream)
    return _comment(findings) + stream.getvalue()


def _data(findings: Findings, best: Trial) -> dict[str, Any]:
    assert best.outcome
    pairs = zip(findings.spec.objectives, best.outcome.values, strict=True)
    objectives = [
        {"metric": item.metric, "direction": item.direction.value, "value": value}
        for item, value in pairs
    ]
    reached = {"objectives": objectives} if findings.several else {"objective": objectives[0]}
    parameters, seed = retrained(findings)
    return {
        "study": findings.spec.name,
        "trial": best.number,
        **reached,
        "seed": seed,
        "parameters": dict(parameters),
    }


def _comment(findings: Findings) -> str:
    if findings.finals.winner:
        return "# The winner of the finals, as it was run in them.\n"
    if not findings.several:
        return "# The best trial of the study.\n"
    metric = findings.spec.objective.metric
    return (
        f"# The first of {len(findings.front)} on the Pareto front: the best in {metric}.\n"
        "# REPORT.md lists the others, results.json has their parameters.\n"
    )


teach(_Representer, _PLAIN)
