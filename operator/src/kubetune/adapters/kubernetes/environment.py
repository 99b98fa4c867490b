"""The environment of a trial's container: the trial contract, then the study's own variables."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from kubetune.adapters.kubernetes.names import CHECKPOINT_PATH
from kubetune.domain import contract
from kubetune.domain.ports import LaunchOrder

_CORES = re.compile(r"(\d+(?:\.\d+)?)(m?)")

_RESERVED = frozenset({contract.DESCRIPTION, contract.CHECKPOINT_FOLDER, contract.METRICS_PORT})


def environment(
    order: LaunchOrder, own: Iterable[Mapping[str, Any]], port: int, *, cores: object = None
) -> list[dict[str, Any]]:
    """The entries of `env`. The contract's come first: `$(NAME)` refers to earlier ones only.

    Of the study's `own`, those are left out that would stand in for one of the contract's. `cores`
    is the container's CPU limit: thread pools get as many threads, unless the study says how many.
    """
    own = list(own)
    told = {**contract.parameters(order), **_circumstances(order, port)}
    if threads := _threads(cores):
        set_already = {entry.get("name") for entry in own}
        told |= {name: threads for name in contract.THREADS if name not in set_already}
    entries: list[dict[str, Any]] = [
        {"name": name, "value": _literally(value)} for name, value in told.items()
    ]
    return entries + [dict(entry) for entry in own if not _reserved(entry.get("name"))]


def _circumstances(order: LaunchOrder, port: int) -> dict[str, str]:
    """A first attempt may find a checkpoint too: its Job may have been started twice."""
    claim = order.spec.checkpoint_claim
    resume = claim is not None or order.trial.attempt > 1
    found = {contract.DESCRIPTION: contract.describe(order, resume=resume)}
    if claim is not None:
        found[contract.CHECKPOINT_FOLDER] = CHECKPOINT_PATH
    return found | {contract.METRICS_PORT: str(port)}


def _threads(cores: object) -> str:
    """Whole threads for a quantity of Kubernetes such as 2, 1.5 or 1500m; empty without one."""
    found = _CORES.fullmatch(str(cores))
    if found is None:
        return ""
    return str(max(1, math.ceil(float(found[1]) / (1000 if found[2] else 1))))


def _reserved(name: object) -> bool:
    return isinstance(name, str) and (
        name in _RESERVED or name.startswith(contract.PARAMETER_PREFIX)
    )


def _literally(value: str) -> str:
    """Text in which the kubelet finds no reference to fill in."""
    return value.replace("$", "$$")
