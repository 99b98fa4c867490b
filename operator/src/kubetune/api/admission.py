"""Admission: everything that is wrong with a study as written, at once, before anything runs."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from kubetune.api import convert, convert_phases, convert_space, wording
from kubetune.api.checks import (
    finals,
    initial,
    names,
    parameters,
    phases,
    queries,
    search,
    trials,
    warm,
)
from kubetune.api.checks import space as space_checks
from kubetune.api.compiling import ENDS, Compiler
from kubetune.api.convert_phases import Course
from kubetune.api.mending import Draft, mend
from kubetune.api.v1alpha1.study import TuningStudy
from kubetune.domain.coordinates import Coordinates
from kubetune.domain.expressions import Kind
from kubetune.domain.faults import Fault
from kubetune.domain.feasibility import Feasibility, feasible_share
from kubetune.domain.space import Space
from kubetune.domain.study import InitialTrial, StudySpec

_SPACE = ("parameters", "derived", "fixed", "constraints")


@dataclass(frozen=True, slots=True)
class Admission:
    """The verdict over a manifest.

    `spec` is there when there are no faults. `warnings` are worth a look and hold nothing up.
    `feasibility` is there when the space itself is sound.
    """

    spec: StudySpec | None
    faults: tuple[Fault, ...] = ()
    warnings: tuple[Fault, ...] = ()
    feasibility: Feasibility | None = None


def check(data: Mapping[str, Any], *, in_cluster: bool = False) -> Admission:
    """Checks a manifest given as plain data; never raises on bad data.

    `in_cluster`: it is to run there, so nothing is said about what a local run could not do.
    """
    faults: list[Fault] = []
    draft: Draft | None
    try:
        draft = Draft(TuningStudy.model_validate(data))
    except ValidationError as error:
        faults += wording.faults_of(error.errors(include_url=False))
        draft = mend(data, error)
    if draft is None:
        return Admission(None, tuple(faults))
    draft = convert_phases.as_numbers(draft)
    warnings = (*search.warn(draft), *trials.warn(draft), *finals.warn(draft))
    warnings += (*phases.warn(draft), *convert_phases.warn(draft))
    if not in_cluster:
        warnings += tuple(trials.warn_locally(draft))
    return _check_draft(draft, faults, warnings)


def _check_draft(draft: Draft, faults: list[Fault], warnings: tuple[Fault, ...]) -> Admission:
    compiler = _compiler(draft)
    found = [*names.check(draft), *parameters.check(draft), *space_checks.check_constraints(draft)]
    space, kinds, circles = _space(draft, compiler, sound=not found)
    rules = convert.rules(draft, compiler, kinds)
    declared = _declared(draft, kinds)
    found += circles
    found += compiler.faults
    found += search.check_objectives(draft)
    found += search.check_sampler(draft)
    found += search.check_pruner(draft)
    found += trials.check_policy(draft, declared)
    found += trials.check_limits(draft)
    found += trials.check_template(draft, declared)
    found += queries.check(draft)
    found += initial.check_study(draft)
    found += finals.check(draft, kinds)
    found += warm.check(draft, kinds)
    known = (*faults, *found)
    course, more = convert_phases.course(draft, _compiler(draft), _phase_space, known, space)
    found += more
    feasibility, initial_trials = None, tuple[InitialTrial, ...]()
    if space is not None:
        feasibility, initial_trials, more = _points(draft, space, course)
        found += more
    everything = tuple(dict.fromkeys([*faults, *found]))
    if everything or space is None:
        return Admission(None, everything, warnings, feasibility)
    phases_found = tuple(course.values())
    spec = convert.study_spec(draft.study, space, rules, initial_trials, phases_found)
    return Admission(spec, (), (*warnings, *finals.warn_of_values(spec)), feasibility)


def _compiler(draft: Draft) -> Compiler:
    values = {**convert_space.listed_values(draft), **ENDS}
    lost = draft.lost | names.unusable(draft)
    return Compiler(lost, draft.blind, values, names.in_phases(draft))


def _phase_space(
    draft: Draft,
    compiler: Compiler,
    sound: bool,  # noqa: FBT001 - a callback's argument
) -> tuple[Space | None, list[Fault]]:
    """A phase's space, checked as the study's own is."""
    space, _, circles = _space(draft, compiler, sound=sound)
    return space, circles


def _space(
    draft: Draft, compiler: Compiler, *, sound: bool
) -> tuple[Space | None, dict[str, Kind], list[Fault]]:
    """The space, if nothing is wrong with any part of it."""
    kinds, derived = convert_space.declared(draft, compiler)
    whens = convert_space.conditions(draft, compiler, kinds)
    limits = convert_space.constraints(draft, compiler, kinds)
    circles = list(space_checks.check_circles(draft, whens, derived))
    if not sound or circles or compiler.faults or not draft.sound(*_SPACE):
        return None, kinds, circles
    return convert_space.space(draft, kinds, derived, whens, limits), kinds, circles


def _points(
    draft: Draft, space: Space, course: Course
) -> tuple[Feasibility, tuple[InitialTrial, ...], list[Fault]]:
    coordinates = Coordinates(space)
    feasibility = feasible_share(coordinates)
    if feasibility.drawable < space_checks.SHARE_LIMIT:
        feasibility = feasible_share(coordinates, space_checks.SECOND_LOOK)
    initial_trials, faults = initial.check_points(draft, coordinates)
    spaces = [coordinates, *(Coordinates(phase.space) for phase in course.values())]
    faults += space_checks.check_reach(draft, spaces)
    small = [
        Fault(("spec", "constraints"), message)
        for message in space_checks.check_room(coordinates, feasibility)
    ]
    faults += small or convert_phases.check_rooms(draft, course)
    return feasibility, initial_trials, faults


def _declared(draft: Draft, kinds: Mapping[str, Kind]) -> set[str]:
    spec = draft.study.spec
    ranges, derived = ({item.name for item in part} for part in (spec.parameters, spec.derived))
    return ranges | derived | set(spec.fixed) | set(kinds)
