"""The course of a study, from the wire into the domain.

A phase is checked as the study that it is: the whole study with the phase's parameters, sampler
and pruner in their places. What is found there is told where it was written.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace as replaced
from typing import TypeAlias

from kubetune.api import convert, convert_space
from kubetune.api.checks import names, parameters, phases, search
from kubetune.api.checks import space as space_checks
from kubetune.api.compiling import ENDS, Compiler
from kubetune.api.mending import Draft
from kubetune.api.overlay import Overlay
from kubetune.api.v1alpha1.phase import Phase as WirePhase
from kubetune.domain.coordinates import Coordinates
from kubetune.domain.expressions import Kind
from kubetune.domain.faults import Fault, Path
from kubetune.domain.feasibility import feasible_share
from kubetune.domain.space import Space
from kubetune.domain.study import Gate, Narrow, Phase

SpaceOf: TypeAlias = Callable[[Draft, Compiler, bool], tuple[Space | None, list[Fault]]]
"""Converts a study's space, None unless all of it is sound; with the faults found on the way."""

Course: TypeAlias = Mapping[int, Phase]
"""The phases without faults, by their place in the draft."""


def as_numbers(draft: Draft) -> Draft:
    """The study with those fixed whole numbers as numbers that are a Double in some phase.

    A cluster stores 0.0 as 0, so nobody could write such a value otherwise.
    """
    spec = draft.study.spec
    doubles = {
        item.name
        for phase in spec.phases
        for item in phase.parameters
        if convert_space.kind_of(item) is Kind.DOUBLE
    }
    fixed = {
        name: float(value) if name in doubles and type(value) is int else value
        for name, value in spec.fixed.items()
    }
    study = draft.study.model_copy(update={"spec": spec.model_copy(update={"fixed": fixed})})
    return replaced(draft, study=study)


def course(
    draft: Draft,
    compiler: Compiler,
    space_of: SpaceOf,
    known: Collection[Fault],
    space: Space | None,
) -> tuple[Course, list[Fault]]:
    """The phases, and what is wrong with them.

    `known` is what is wrong with the study itself, `space` its own space if that is sound.
    """
    faults = list(phases.check(draft))
    kinds = phases.kinds_of(draft)
    found: dict[int, Phase] = {}
    for index in range(len(draft.study.spec.phases)):
        overlay = Overlay.of(draft, index)
        named = list(phases.check_parameters(draft, index, kinds))
        own, more = space, list[Fault]()
        if overlay.wire.parameters:
            own, more = _space(overlay, compiler, space_of, sound=bool(space) and not named)
        more += _search(overlay.draft)
        told = overlay.told(more, known, named)
        faults += told
        phase = _phase(overlay, compiler, own)
        if phase is not None and not told:
            found[index] = phase
    return found, [*faults, *compiler.faults]


def check_rooms(draft: Draft, course: Course) -> Iterator[Fault]:
    """Phases whose parameters the constraints leave nothing, or next to nothing, of."""
    for index, phase in course.items():
        if not draft.study.spec.phases[index].parameters:
            continue
        coordinates = Coordinates(phase.space)
        feasibility = feasible_share(coordinates)
        if feasibility.drawable < space_checks.SHARE_LIMIT:
            feasibility = feasible_share(coordinates, space_checks.SECOND_LOOK)
        for message in space_checks.check_room(coordinates, feasibility):
            path = draft.path("phases", index, "parameters")
            yield Fault(path, f"with these the constraints {message}")


def warn(draft: Draft) -> Iterator[Fault]:
    """Fields of a phase that have no effect in it."""
    for index in range(len(draft.study.spec.phases)):
        overlay = Overlay.of(draft, index)
        yield from overlay.told_own(search.warn(overlay.draft))


def _space(
    overlay: Overlay, compiler: Compiler, space_of: SpaceOf, *, sound: bool
) -> tuple[Space | None, list[Fault]]:
    """The space of a phase with parameters of its own, None when it has faults; and these."""
    whole = overlay.draft
    own = Compiler(
        compiler.lost | names.unusable(whole),
        compiler.blind,
        {**overlay.listed(compiler.values), **ENDS},
    )
    faults = list(parameters.check(whole))
    space, circles = space_of(whole, own, sound and not faults)
    return space, [*faults, *circles, *own.faults]


def _search(whole: Draft) -> Iterator[Fault]:
    yield from search.check_objectives(whole)
    yield from search.check_sampler(whole)
    yield from search.check_pruner(whole)


def _phase(overlay: Overlay, compiler: Compiler, space: Space | None) -> Phase | None:
    """The phase, with its rules compiled in any case; None when some part of it is missing."""
    draft, wire, path, before = overlay.draft, overlay.wire, overlay.path, len(compiler.faults)
    when = None
    if wire.when is not None:
        when = phases.compile_rule(draft, compiler, wire.when, (*path, "when"))
    gate = _gate(draft, wire, compiler, path)
    if space is None or len(compiler.faults) > before:
        return None
    return Phase(
        name=wire.name,
        space=space,
        sampler=convert.sampler(draft.study.spec.sampler),
        pruner=convert.pruner(draft.study.spec.pruner),
        trials=wire.trials,
        narrow=_narrow(wire),
        when=when,
        gate=gate,
    )


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
