"""best_config.yaml: the best trial's parameters, ready to train with again."""

import math
import re
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import SafeRepresenter

from kubetune.domain.trial import Trial
from kubetune.report.finals import retrained
from kubetune.report.findings import Findings

_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""What an older YAML reader takes for something else than text."""


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


def _text(representer: SafeRepresenter, text: str) -> ScalarNode:
    plain = _PLAIN.fullmatch(text) and text.lower() not in _WORDS
    node: ScalarNode = representer.represent_scalar(
        "tag:yaml.org,2002:str", text, style=None if plain else '"'
    )
    return node


def _number(representer: SafeRepresenter, number: float) -> ScalarNode:
    """With a point before the exponent: `1e-05` is text to a reader of YAML 1.1."""
    if math.isfinite(number):
        digits, exponent, power = repr(number).partition("e")
        spelled = f"{digits}.0{exponent}{power}" if "." not in digits else repr(number)
    else:
        spelled = ".nan" if math.isnan(number) else ".inf" if number > 0 else "-.inf"
    node: ScalarNode = representer.represent_scalar("tag:yaml.org,2002:float", spelled)
    return node


_Representer.add_representer(str, _text)
_Representer.add_representer(float, _number)
