"""Names: each is there once, and none is a word of the expression language."""

from collections import Counter
from collections.abc import Iterable, Iterator

from kubetune.api.compiling import (
    CEL_WORDS,
    GATE_VARIABLES,
    GUARD_VARIABLES,
    RUNTIME_VARIABLES,
    elsewhere,
)
from kubetune.api.mending import Draft
from kubetune.domain.expression_faults import suggest
from kubetune.domain.faults import Fault, Path, spell


def check(draft: Draft) -> Iterator[Fault]:
    """Faults of names: doubled ones, reserved ones."""
    yield from _doubled(_values(draft))
    for section, key in (
        ("objectives", "metric"),
        ("constraints", "name"),
        ("guards", "name"),
        ("outcomes", "name"),
        ("outcomeConstraints", "metric"),
        ("initialTrials", "name"),
    ):
        yield from _doubled(_items(draft, section, key))
    adjustments = draft.study.spec.trials.on_out_of_memory
    yield from _doubled(
        (item.name, ("spec", "trials", "onOutOfMemory", index, "name"))
        for index, item in enumerate(adjustments)
    )
    for name, path in _values(draft):
        message = reserved(name)
        if message is not None:
            yield Fault(path, message)


def reserved(name: str) -> str | None:
    """What to say of a name that cannot be given, None of any other."""
    if name in CEL_WORDS:
        return f"'{name}' is a word of the expression language: write {name}_value"
    if name in GATE_VARIABLES and name not in GUARD_VARIABLES:
        return f"'{name}' is a variable of gates: write my_{name}"
    if name in RUNTIME_VARIABLES:
        return f"'{name}' is a variable of guards and outcomes: write my_{name}"
    return None


def in_phases(draft: Draft) -> dict[str, str]:
    """The names that only phases declare, each with the first of these."""
    spec = draft.study.spec
    declared = {name for name, _ in _values(draft)}
    return {
        item.name: phase.name
        for phase in reversed(spec.phases)
        for item in phase.parameters
        if item.name not in declared
    }


def unknown(draft: Draft, name: str, known: Iterable[str]) -> str:
    """What to say of a name that the study as a whole does not have."""
    phase = in_phases(draft).get(name)
    return f"unknown name{suggest(name, known)}" if phase is None else elsewhere(name, phase)


def unusable(draft: Draft) -> frozenset[str]:
    """The declared names that mean nothing in an expression: reserved ones, doubled ones."""
    counts = Counter(name for name, _ in _values(draft))
    return frozenset(
        name
        for name, count in counts.items()
        if count > 1 or name in CEL_WORDS or name in RUNTIME_VARIABLES
    )


def _values(draft: Draft) -> Iterator[tuple[str, Path]]:
    """Everything that expressions call by name: parameters, derived and fixed values."""
    yield from _items(draft, "parameters", "name")
    yield from _items(draft, "derived", "name")
    for name in draft.study.spec.fixed:
        yield name, ("spec", "fixed", name)


def _items(draft: Draft, section: str, key: str) -> Iterator[tuple[str, Path]]:
    attribute = {"outcomeConstraints": "outcome_constraints", "initialTrials": "initial_trials"}
    items = getattr(draft.study.spec, attribute.get(section, section))
    for index, item in enumerate(items):
        yield getattr(item, key), draft.path(section, index, key)


def _doubled(items: Iterator[tuple[str, Path]]) -> Iterator[Fault]:
    first: dict[str, Path] = {}
    for name, path in items:
        if name in first:
            yield Fault(path, f"'{name}' is already used at {spell(first[name])}: write another")
        first.setdefault(name, path)
