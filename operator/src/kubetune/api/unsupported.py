"""Fields of the full design that this version does not act on: refused by name, never ignored."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from kubetune.domain.faults import Fault

_FIELDS: dict[tuple[str, ...], str] = {
    ("phases",): "take it out; trials.max trials run in one phase",
    ("finalists",): "take it out; more seeds are to be run by hand",
    ("stopping",): "take it out; trials.max and an objective's target end a study",
    ("warmStart",): "take it out; initialTrials with metrics bring in known results",
    ("metrics", "queries"): "take it out; a trial reports its own metrics",
}


def refuse(data: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """The manifest without what is not supported yet, and a fault for each such field."""
    faults: list[Fault] = []
    rest = deepcopy(dict(data))
    spec = rest.get("spec")
    if not isinstance(spec, dict):
        return rest, faults
    for path, instead in _FIELDS.items():
        parent = spec if len(path) == 1 else spec.get(path[0])
        if isinstance(parent, dict) and path[-1] in parent:
            del parent[path[-1]]
            faults.append(Fault(("spec", *path), f"not supported yet: {instead}"))
    checkpoints = spec.get("checkpoints")
    if isinstance(checkpoints, dict) and checkpoints.get("keep") == "Finalists":
        del checkpoints["keep"]
        message = "'Finalists' is not supported yet: write Best or All"
        faults.append(Fault(("spec", "checkpoints", "keep"), message))
    return rest, faults
