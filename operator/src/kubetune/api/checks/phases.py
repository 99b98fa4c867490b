"""Phases, finals, limits of time: a course that can be run."""

from collections.abc import Iterator, Mapping

from kubetune.api.compiling import GATE_VARIABLES, Compiler
from kubetune.api.mending import Draft
from kubetune.api.wording import show
from kubetune.domain.expression_faults import suggest
from kubetune.domain.expressions import Expression, Kind
from kubetune.domain.faults import Fault, Path

COUNTS = ("total", "complete", "pruned", "failed", "infeasible")
"""What gates may ask of `trials`."""


def check(draft: Draft) -> Iterator[Fault]:
    """Phases that could never have their turn."""
    phases = draft.study.spec.phases
    first: dict[str, int] = {}
    for index, phase in enumerate(phases):
        path = draft.path("phases", index)
        if phase.name in first:
            earlier = draft.path("phases", first[phase.name], "name")
            message = f"'{phase.name}' is already used at {'.'.join(map(str, earlier))}"
            yield Fault((*path, "name"), f"{message}: write another")
        first.setdefault(phase.name, index)
        if phase.trials is None and index < len(phases) - 1:
            message = "is missing: only the last phase may take all that trials.max leaves"
            yield Fault((*path, "trials"), message)
        for field in ("narrow", "when") if index == 0 else ():
            if getattr(phase, field) is not None:
                message = "there are no trials before the first phase: take it out"
                yield Fault((*path, field), message)


def warn(draft: Draft) -> Iterator[Fault]:
    """Phases that ask for more than the study has."""
    if not draft.sound("phases", "trials"):
        return
    spec = draft.study.spec
    asked = sum(phase.trials or 0 for phase in spec.phases)
    if asked > spec.trials.max:
        message = f"ask for {asked} trials in all, trials.max is {spec.trials.max}"
        yield Fault(("spec", "phases"), message)


def check_finals(draft: Draft, kinds: Mapping[str, Kind]) -> Iterator[Fault]:
    """Finals of a study that has no single best, or with values that mean nothing."""
    spec = draft.study.spec
    several = len(spec.objectives) > 1 and draft.sound("objectives")
    if spec.finalists is not None and draft.sound("finalists"):
        if several:
            message = "needs a single objective: take it out, or keep one objective"
            yield Fault(("spec", "finalists"), message)
        seeds = spec.finalists.seeds
        for index, seed in enumerate(seeds):
            if seed in seeds[:index]:
                path: Path = ("spec", "finalists", "seeds", index)
                yield Fault(path, f"{seed} is there twice: write it once")
        derived = {item.name for item in spec.derived}
        for name, value in spec.finalists.fixed.items():
            path = ("spec", "finalists", "fixed", name)
            if name in derived:
                yield Fault(path, "is derived from others: fix those")
            elif name not in kinds and name not in draft.lost and not draft.blind:
                yield Fault(path, f"unknown name{suggest(name, kinds)}")
            elif name in kinds and not _fits(value, kinds[name]):
                yield Fault(path, f"{show(value)} is not {_SPELLED[kinds[name]]} like the others")
    if spec.stopping.plateau is not None and several and draft.sound("stopping"):
        message = "needs a single objective: take it out, or keep one objective"
        yield Fault(("spec", "stopping", "plateau"), message)


def gate_scope() -> dict[str, Kind]:
    """What gates and conditions of phases may name."""
    return dict(GATE_VARIABLES)


def compile_rule(draft: Draft, compiler: Compiler, text: str, path: Path) -> Expression | None:
    """A gate's or phase's expression, None when it has faults."""
    expression = compiler.compile(text, gate_scope(), (Kind.BOOL,), path)
    if expression is None:
        return None
    classes = [item.name for item in draft.study.spec.outcomes]
    known = {"trials": list(COUNTS), "outcomes": classes}
    sound = True
    for group, key in sorted(expression.fields):
        if group in known and key not in known[group] and draft.sound("outcomes"):
            sound = False
            words = "count" if group == "trials" else "class of spec.outcomes"
            hint = suggest(key, known[group]) or "; there are none"
            compiler.faults.append(Fault(path, f"'{group}.{key}' is no {words}{hint}"))
    return expression if sound else None


_SPELLED = {
    Kind.STRING: "text",
    Kind.BOOL: "true or false",
    Kind.INT: "a whole number",
    Kind.DOUBLE: "a number",
}


def _fits(value: object, kind: Kind) -> bool:
    match kind:
        case Kind.BOOL:
            return isinstance(value, bool)
        case Kind.STRING:
            return isinstance(value, str)
        case Kind.INT:
            return isinstance(value, int) and not isinstance(value, bool)
        case _:
            return isinstance(value, int | float) and not isinstance(value, bool)
