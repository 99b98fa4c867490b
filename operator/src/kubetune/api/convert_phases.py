"""The course of a study, from the wire into the domain.

A phase is checked as the study that it is: the whole study with the phase's parameters, sampler
and pruner in their places. What is found there is told where it was written.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace as replaced
from typing import TypeAlias

from kubetune.api import convert, convert_space
from kubetune.api.checks import parameters, phases, search
from kubetune.api.compiling import Compiler
from kubetune.api.mending import Draft
from kubetune.api.v1alpha1.phase import Phase as WirePhase
from kubetune.domain.coordinates import Coordinates
from kubetune.domain.faults import Fault, Path
from kubetune.domain.feasibility import feasible_share
from kubetune.domain.space import Space
from kubetune.domain.study import Gate, Narrow, Phase

SpaceOf: TypeAlias = Callable[[Draft, Compiler], tuple[Space | None, list[Fault]]]
"""Converts a study's space, with the faults found on the way."""


def course(
    draft: Draft, compiler: Compiler, space_of: SpaceOf
) -> tuple[tuple[Phase, ...], list[Fault]]:
    """The phases, and what is wrong with them."""
    faults = list(phases.check(draft))
    found = []
    for index, wire in enumerate(draft.study.spec.phases):
        phase, more = _phase(draft, index, wire, compiler, space_of)
        faults += more
        if phase is not None:
            found.append(phase)
    return tuple(found), faults


def _phase(
    draft: Draft, index: int, wire: WirePhase, compiler: Compiler, space_of: SpaceOf
) -> tuple[Phase | None, list[Fault]]:
    path = draft.path("phases", index)
    whole, places = _whole(draft, wire)
    own = Compiler(compiler.lost, compiler.blind, compiler.values)
    faults = [*parameters.check(whole)]
    space = None
    if not faults:
        space, faults = space_of(whole, own)
    faults += [*own.faults, *search.check_sampler(whole), *search.check_pruner(whole)]
    told = list(_told(faults, path, wire, places))
    told += _added(draft, wire, path)
    when = None
    if wire.when is not None:
        when = phases.compile_rule(draft, compiler, wire.when, (*path, "when"))
    gate = _gate(draft, wire, compiler, path)
    if space is None or told:
        return None, told
    if wire.parameters and feasible_share(Coordinates(space)).drawable == 0:
        told.append(Fault((*path, "parameters"), "leave nothing that the constraints allow"))
    phase = Phase(
        name=wire.name,
        space=space,
        sampler=convert.sampler(whole.study.spec.sampler),
        pruner=convert.pruner(whole.study.spec.pruner),
        trials=wire.trials,
        narrow=_narrow(wire),
        when=when,
        gate=gate,
    )
    return phase, told


def _gate(draft: Draft, wire: WirePhase, compiler: Compiler, path: Path) -> Gate | None:
    if wire.gate is None:
        return None
    at = (*path, "gate", "require")
    require = phases.compile_rule(draft, compiler, wire.gate.require, at)
    return None if require is None else Gate(require=require, on_failure=wire.gate.on_failure)


def _narrow(wire: WirePhase) -> Narrow | None:
    if wire.narrow is None:
        return None
    return Narrow(around_top=wire.narrow.around_top, shrink=wire.narrow.shrink)


def _whole(draft: Draft, wire: WirePhase) -> tuple[Draft, dict[int, int]]:
    """The study as this phase runs it; of each of its own parameters, where it stands there."""
    spec = draft.study.spec
    merged = list(spec.parameters)
    at = {item.name: index for index, item in enumerate(merged)}
    places: dict[int, int] = {}
    for index, item in enumerate(wire.parameters):
        if item.name in at:
            merged[at[item.name]] = item
        else:
            at[item.name] = len(merged)
            merged.append(item)
        places[at[item.name]] = index
    own = {item.name for item in wire.parameters}
    changed = spec.model_copy(
        update={
            "parameters": merged,
            "fixed": {name: value for name, value in spec.fixed.items() if name not in own},
            "sampler": wire.sampler or spec.sampler,
            "pruner": wire.pruner or spec.pruner,
        }
    )
    return replaced(draft, study=draft.study.model_copy(update={"spec": changed})), places


def _told(
    faults: Iterable[Fault], path: Path, wire: WirePhase, places: Mapping[int, int]
) -> Iterator[Fault]:
    """The faults of this phase's own parts, where they were written; the study tells the others."""
    for fault in faults:
        section, rest = fault.path[1], fault.path[2:]
        index = rest[0] if section == "parameters" and rest else None
        if isinstance(index, int) and index in places:
            at = (*path, "parameters", places[index], *rest[1:])
        elif (section == "sampler" and wire.sampler) or (section == "pruner" and wire.pruner):
            at = (*path, *fault.path[1:])
        else:
            continue
        yield replaced(fault, path=at)


def _added(draft: Draft, wire: WirePhase, path: Path) -> Iterator[Fault]:
    """Parameters that would change what a name means."""
    spec = draft.study.spec
    kinds = {item.name: convert_space.kind_of(item) for item in spec.parameters}
    kinds |= {name: convert_space.kind_of_value(value) for name, value in spec.fixed.items()}
    derived = {item.name for item in spec.derived}
    for index, item in enumerate(wire.parameters):
        at = (*path, "parameters", index, "name")
        if item.name in derived:
            yield Fault(at, f"'{item.name}' is derived from others: write another name")
            continue
        kind = convert_space.kind_of(item)
        known = kinds.get(item.name)
        if kind is not None and known is not None and kind is not known:
            message = f"'{item.name}' is of another type in the study: write values of that type"
            yield Fault(at, message)
