"""Names: each is there once, and none is a word of the expression language."""

from collections import Counter
from collections.abc import Iterator

from kubetune.api.compiling import CEL_WORDS, RUNTIME_VARIABLES
from kubetune.api.mending import Draft
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
        if name in CEL_WORDS:
            yield Fault(path, f"'{name}' is a word of the expression language: write {name}_value")
        elif name in RUNTIME_VARIABLES:
            yield Fault(path, f"'{name}' is a variable of guards and outcomes: write my_{name}")


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
