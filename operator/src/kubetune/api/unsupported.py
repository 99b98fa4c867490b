"""Fields of the full design that this version does not act on: refused by name, never ignored."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from kubetune.domain.faults import Fault

_FIELDS: dict[str, str] = {
    "warmStart": "take it out; initialTrials with metrics bring in known results",
}


def refuse(data: Mapping[str, Any]) -> tuple[dict[str, Any], list[Fault]]:
    """The manifest without what is not supported yet, and a fault for each such field."""
    faults: list[Fault] = []
    rest = deepcopy(dict(data))
    spec = rest.get("spec")
    if not isinstance(spec, dict):
        return rest, faults
    for name, instead in _FIELDS.items():
        if name in spec:
            del spec[name]
            faults.append(Fault(("spec", name), f"not supported yet: {instead}"))
    return rest, faults
