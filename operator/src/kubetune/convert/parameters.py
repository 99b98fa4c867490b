"""The search space: Katib's parameters as a study's, and values that never change as fixed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kubetune.api.wording import show
from kubetune.convert import lists, names, ranges
from kubetune.convert.draft import Draft
from kubetune.convert.experiment import Experiment
from kubetune.convert.findings import Kind, either
from kubetune.domain.faults import Path
from kubetune.domain.values import Value

_PATH: Path = ("spec", "parameters")
_KNOWN = ("name", "parameterType", "feasibleSpace")
_TYPES = ("double", "int", "discrete", "categorical")


@dataclass(frozen=True, slots=True)
class Given:
    """A parameter of the Experiment: its name in the study, and its value if that never changes."""

    name: str
    constant: Value | None = None


Givens = Mapping[str, Given]
"""By Katib's names."""


def convert(
    experiment: Experiment, draft: Draft, chosen: Mapping[str, Value], *, grid: bool
) -> Givens:
    """Writes parameters and fixed values.

    `chosen` are values that an algorithm sets itself, such as Hyperband's resource. `grid`: every
    step is visited, none is drawn by its distribution.
    """
    givens: dict[str, Given] = {}
    drawn: list[dict[str, Any]] = []
    fixed: dict[str, Value] = {}
    for index, _ in enumerate(experiment.items(_PATH)):
        path = (*_PATH, index)
        experiment.mapping(path, _KNOWN)
        name = experiment.text((*path, "name"), needed="the parameter's name")
        if name in givens:
            draft.findings.refuse((*path, "name"), f"{show(name)} is there twice: write another")
            continue
        taken = {given.name for given in givens.values()}
        ours = names.parameter(name or "value", taken)
        at = ("spec", "parameters", len(drawn))
        found: dict[str, Any] | Value | None = chosen.get(name or "")
        if found is None:
            found = _space(experiment, draft, path, at, grid=grid)
        if name is None or found is None:
            continue
        if isinstance(found, dict):
            givens[name] = Given(ours)
            drawn.append({"name": ours, **found})
            draft.come_from(at, path)
            if ours != name:
                draft.comment(at, f"{name} in the Experiment")
        else:
            givens[name] = Given(ours, found)
            fixed[ours] = found
            why = "set by the algorithm" if name in chosen else "one value, so it is fixed"
            for text in (why, *draft.comments.pop(at, ())):
                draft.comment(("spec", "fixed"), f"{name}: {text}")
    _put(draft, drawn, fixed)
    return givens


def _put(draft: Draft, drawn: list[dict[str, Any]], fixed: dict[str, Value]) -> None:
    if drawn:
        draft.put("parameters", drawn, _PATH)
    elif not draft.findings.faults:
        what = "none of them varies" if fixed else "missing"
        draft.findings.refuse(_PATH, f"{what}: write a parameter with several values")
    if fixed:
        draft.put("fixed", fixed, _PATH)


def _space(
    experiment: Experiment, draft: Draft, path: Path, at: Path, *, grid: bool
) -> dict[str, Any] | Value | None:
    """A parameter without its name, or its only value; None after a fault."""
    kind = experiment.text((*path, "parameterType"), needed=either(_TYPES))
    here = (*path, "feasibleSpace")
    if kind is not None and kind not in _TYPES:
        message = f"{show(kind)}: write {either(_TYPES)}"
        draft.findings.refuse((*path, "parameterType"), message)
        return None
    if not experiment.mapping(here, ("min", "max", "step", "list", "distribution")):
        draft.findings.refuse(here, "missing: write min and max, or list")
        return None
    if kind is None:
        return None
    foreign = ("list",) if kind in {"double", "int"} else ("min", "max", "step")
    for field in foreign:
        if experiment.at((*here, field)) not in (None, "", []):
            message = f"a parameter of type {kind} has no {field}"
            draft.note(Kind.LEFT_OUT, (*here, field), f"{message}: nothing to do", at)
    if kind in {"double", "int"}:
        return ranges.convert(experiment, draft, here, at, whole=kind == "int", grid=grid)
    return lists.convert(experiment, draft, here, at, numbers=kind == "discrete")
