"""Hyperband: Katib starts each trial anew with more of a resource, here a trial is cut short.

Katib's settings say which parameter is the resource (`resource_name`), how much of it a full trial
has (`r_l`), and which share goes on (1 in `eta`). Here the resource is fixed to all of it, and the
pruner's rungs lie where Katib's trials would end.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubetune.api.wording import show
from kubetune.convert import settings
from kubetune.convert.draft import Draft
from kubetune.convert.experiment import Experiment
from kubetune.convert.findings import Kind
from kubetune.domain.expression_faults import suggest
from kubetune.domain.faults import Path
from kubetune.domain.values import Value

SETTINGS = ("resource_name", "r_l", "eta")
ETA = 3
"""Katib's own default."""

_PATH: Path = ("spec", "algorithm", "algorithmSettings")
_AT: Path = ("spec", "pruner")


@dataclass(frozen=True, slots=True)
class Halving:
    """The resource's parameter by Katib's name, how much a full trial has, and 1 in how many."""

    resource: str
    most: float
    factor: int


def read(experiment: Experiment, draft: Draft) -> Halving | None:
    """The settings; None after a fault."""
    where = settings.listed(experiment, _PATH)
    for name in ("resource_name", "r_l"):
        if name not in where:
            draft.findings.refuse(_PATH, f"{name} is missing: hyperband needs it")
    if not {"resource_name", "r_l"} <= where.keys():
        return None
    resource = experiment.text(where["resource_name"], needed="a parameter's name")
    most = experiment.number(where["r_l"], needed=True)
    factor = _factor(experiment, draft, where.get("eta"))
    if resource is None or most is None or factor is None:
        return None
    items = experiment.items(("spec", "parameters"))
    known = [str(item.get("name")) for item in items if isinstance(item, Mapping)]
    if resource not in known:
        message = f"{show(resource)} is no parameter{suggest(resource, known)}"
        draft.findings.refuse(where["resource_name"], message)
        return None
    if most < 1:
        draft.findings.refuse(where["r_l"], f"{most:g}: write a number of at least 1")
        return None
    return Halving(resource, most, factor)


def chosen(halving: Halving) -> dict[str, Value]:
    """The resource of a full trial, which every trial starts with."""
    whole = halving.most.is_integer()
    return {halving.resource: int(halving.most) if whole else halving.most}


def convert(draft: Draft, halving: Halving, metric: str) -> None:
    """Writes the pruner."""
    rungs = int(math.log(halving.most) / math.log(halving.factor) + 1e-9)
    path = ("spec", "algorithm", "algorithmName")
    if rungs == 0:
        message = f"r_l {halving.most:g} is below eta {halving.factor}: no trial would be cut"
        draft.note(Kind.NOT_NEEDED, path, message, ("spec", "sampler"))
        return
    pruner: dict[str, Any] = {
        "algorithm": "Hyperband",
        "minResource": max(1, int(halving.most / halving.factor**rungs + 1e-9)),
        "maxResource": int(halving.most) if halving.most.is_integer() else halving.most,
        "reductionFactor": halving.factor,
    }
    draft.put("pruner", pruner, _PATH)
    message = (
        f"hyperband: every trial has the whole {halving.resource} and is cut at rungs, so it "
        f"counts once: report {metric} after each of them, with steps 1, 2, ... {halving.most:g}"
    )
    draft.note(Kind.TO_DO, path, message, _AT)


def _factor(experiment: Experiment, draft: Draft, path: Path | None) -> int | None:
    if path is None:
        return ETA
    eta = experiment.number(path, needed=True)
    if eta is None:
        return None
    if not 2 <= eta <= 100:  # noqa: PLR2004 - the bounds stand in the message
        draft.findings.refuse(path, f"{eta:g}: write a whole number from 2 to 100")
        return None
    if not eta.is_integer():
        message = f"eta {eta:g}: a whole number is needed: {round(eta)} is written"
        draft.note(Kind.APPROXIMATED, path, message, _AT)
    return round(eta)
