"""Phases that can have their turn, with parameters and rules that mean something."""

from collections.abc import Iterator, Mapping, Sequence

from kubetune.api.checks import names
from kubetune.api.compiling import GATE_VARIABLES, Compiler
from kubetune.api.convert_space import kind_of, kind_of_value, spelled
from kubetune.api.mending import Draft
from kubetune.api.v1alpha1.phase import Phase
from kubetune.domain import cel_tree
from kubetune.domain.expression_faults import suggest
from kubetune.domain.expressions import Expression, Kind
from kubetune.domain.faults import Fault, Path, spell

COUNTS = ("total", "complete", "pruned", "failed", "infeasible")
"""What gates may ask of `trials`."""

Kinds = dict[str, tuple[Kind, str]]
"""The kinds of names, each with where it was told."""


def check(draft: Draft) -> Iterator[Fault]:
    """Phases that could never have their turn, or that would change nothing."""
    phases = draft.study.spec.phases
    first: dict[str, Path] = {}
    for index, phase in enumerate(phases):
        path = draft.path("phases", index)
        if phase.name in first:
            message = f"'{phase.name}' is already used at {spell(first[phase.name])}"
            yield Fault((*path, "name"), f"{message}: write another")
        first.setdefault(phase.name, (*path, "name"))
        if phase.trials is None and index < len(phases) - 1:
            message = "missing: only the last phase takes all that trials.max leaves"
            yield Fault((*path, "trials"), message)
        for field in ("narrow", "when") if path[-1] == 0 else ():
            if getattr(phase, field) is not None:
                message = "there are no trials before the first phase: take it out"
                yield Fault((*path, field), message)
        if index and draft.sound("phases") and _same(phases[index - 1], phase):
            message = f"does what '{phases[index - 1].name}' does: give that one more trials, or"
            yield Fault(path, f"{message} write parameters, narrow, sampler, pruner, when or gate")


def check_parameters(draft: Draft, index: int, kinds: Kinds) -> Iterator[Fault]:
    """Names in a phase that are taken, or would mean another thing there than elsewhere.

    `kinds` are those of the study and of the phases before; this phase's are added.
    """
    phase = draft.study.spec.phases[index]
    derived = {item.name for item in draft.study.spec.derived}
    first: dict[str, Path] = {}
    for place, item in enumerate(phase.parameters):
        path = draft.path("phases", index, "parameters", place, "name")
        if item.name in first:
            message = f"'{item.name}' is already used at {spell(first[item.name])}: write another"
            yield Fault(path, message)
        elif item.name in derived:
            yield Fault(path, f"'{item.name}' is derived from others: write another name")
        elif (reserved := names.reserved(item.name)) is not None:
            yield Fault(path, reserved)
        elif (kind := kind_of(item)) is not None:
            known, where = kinds.setdefault(item.name, (kind, f"in phase '{phase.name}'"))
            if kind is not known:
                message = f"'{item.name}' is {spelled(known)} {where}: write the same kind here"
                yield Fault(path, f"{message}, or another name")
        first.setdefault(item.name, path)


def kinds_of(draft: Draft) -> Kinds:
    """The kinds of the study's own names."""
    spec = draft.study.spec
    known: Kinds = {
        item.name: (kind, "in spec.parameters")
        for item in spec.parameters
        if (kind := kind_of(item)) is not None
    }
    fixed = {name: (kind_of_value(value), "in spec.fixed") for name, value in spec.fixed.items()}
    return known | fixed


def warn(draft: Draft) -> Iterator[Fault]:
    """Phases that ask for more than the study has."""
    if not draft.sound("phases", "trials"):
        return
    spec = draft.study.spec
    sure = asked = 0
    for index, phase in enumerate(spec.phases):
        if sure >= spec.trials.max:
            message = f"never has its turn: the phases before it take all {spec.trials.max} trials"
            yield Fault(draft.path("phases", index), f"{message} of trials.max")
            return
        sure += 0 if phase.when else phase.trials or 0
        asked += phase.trials or 0
    if asked > spec.trials.max:
        message = f"ask for {asked} trials in all, trials.max is {spec.trials.max}"
        yield Fault(("spec", "phases"), f"{message}: the last of them may get fewer")


def gate_scope() -> dict[str, Kind]:
    """What gates and conditions of phases may name."""
    return dict(GATE_VARIABLES)


def compile_rule(draft: Draft, compiler: Compiler, text: str, path: Path) -> Expression | None:
    """A gate's or phase's expression, None when it has faults."""
    expression = compiler.compile(text, gate_scope(), (Kind.BOOL,), path)
    if expression is None:
        return None
    faults = list(_counts(draft, expression, path))
    compiler.faults += faults
    return None if faults else expression


def _counts(draft: Draft, expression: Expression, path: Path) -> Iterator[Fault]:
    """Counts that are not kept: they would stop every gate."""
    known: Mapping[str, tuple[str, Sequence[str]]] = {"trials": ("count of trials", COUNTS)}
    if draft.sound("outcomes"):
        classes = [item.name for item in draft.study.spec.outcomes]
        known = {**known, "outcomes": ("class of spec.outcomes", classes)}
    for group, key in sorted(expression.fields):
        what, keys = known.get(group, ("", (key,)))
        if key not in keys:
            hint = suggest(key, keys) or "; there are none"
            column = _column(expression.tree, group, key)
            yield Fault(path, f"'{group}.{key}' is no {what}{hint}", column)


def _column(tree: cel_tree.Node, group: str, key: str) -> int | None:
    """Where `group.key` stands, None where it is written in another way."""
    for node in cel_tree.walk(tree):
        match node:
            case cel_tree.Select(operand=cel_tree.Name() as name, field=field):
                if (name.name, field) == (group, key):
                    return name.column
            case _:
                pass
    return None


def _same(before: Phase, phase: Phase) -> bool:
    """Whether a phase only goes on as the one before it."""
    turning = [getattr(one, part) for one in (before, phase) for part in ("narrow", "when", "gate")]
    same = [
        getattr(before, part) == getattr(phase, part)
        for part in ("parameters", "sampler", "pruner")
    ]
    return all(same) and all(part is None for part in turning)
