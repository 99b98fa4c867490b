"""A study without its broken parts, so that what is left can be checked as well.

Every fault is to be shown at once. So an item of a list that does not fit the schema is taken out,
another broken part is replaced by a stand-in, and what they might have declared is remembered:
nothing is said about expressions that name it.
"""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from kubetune.api.v1alpha1.study import TuningStudy
from kubetune.api.wording import location
from kubetune.domain.faults import Path

_STAND_INS: Mapping[str, Any] = {
    "apiVersion": "kubetune.io/v1alpha1",
    "kind": "TuningStudy",
    "metadata": {"name": "study"},
}
_SPEC_STAND_INS: Mapping[str, Any] = {
    "objectives": [{"metric": "stand_in", "direction": "Minimize"}],
    "parameters": [{"name": "stand_in", "type": "Categorical", "values": [0, 1]}],
    "trials": {"max": 1_000},
    "trialTemplate": {"spec": {"containers": [{"name": "trainer", "args": ["stand-in"]}]}},
}
_DECLARING = ("parameters", "derived", "fixed")


@dataclass(frozen=True, slots=True)
class Draft:
    """What can be checked of a study.

    `damaged`: parts of the spec that are not whole. `lost`: names that they declared. `blind`:
    they may have declared names that nobody knows. `places`: the items' indices as written.
    """

    study: TuningStudy
    damaged: frozenset[str] = frozenset()
    lost: frozenset[str] = frozenset()
    blind: bool = False
    places: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def path(self, section: str, index: int, *rest: str | int) -> Path:
        """The path, as written, of an item of a list of the spec."""
        places = self.places.get(section)
        return ("spec", section, places[index] if places else index, *rest)

    def sound(self, *sections: str) -> bool:
        """Whether these parts of the spec are whole."""
        return self.damaged.isdisjoint(sections)


def mend(data: Mapping[str, Any], error: ValidationError) -> Draft | None:
    """The draft that is left of a manifest, None when nothing can be said about it."""
    if not isinstance(data.get("spec"), dict):
        return None
    rest = deepcopy(dict(data))
    spec: dict[str, Any] = rest["spec"]
    broken: dict[str, set[int] | None] = {}
    unknown: list[str] = []
    for details in error.errors(include_url=False):
        path = location(details)
        if path[0] != "spec":
            _stand_in(rest, str(path[0]))
        elif len(path) == 2 and details["type"] == "extra_forbidden":  # noqa: PLR2004 - spec.X
            unknown.append(str(path[1]))
        else:
            _note(broken, spec, path)
    for name in unknown:
        del spec[name]
    lost, blind = _declared(spec, broken)
    places = {name: _repair(spec, name, items) for name, items in broken.items()}
    try:
        study = TuningStudy.model_validate(rest)
    except ValidationError:
        return None
    kept = {name: place for name, place in places.items() if place is not None}
    return Draft(study, frozenset(broken), lost, blind, kept)


def _stand_in(rest: dict[str, Any], name: str) -> None:
    if name in _STAND_INS:
        rest[name] = deepcopy(_STAND_INS[name])
    else:
        rest.pop(name, None)


def _note(broken: dict[str, set[int] | None], spec: Mapping[str, Any], path: Path) -> None:
    """Remembers a broken item, or None for a part that is broken as a whole."""
    section = str(path[1])
    if len(path) > 2 and isinstance(path[2], int) and isinstance(spec.get(section), list):  # noqa: PLR2004 - spec.X[2]
        items = broken.setdefault(section, set())
        if items is not None:
            items.add(path[2])
    else:
        broken[section] = None


def _declared(
    spec: Mapping[str, Any], broken: Mapping[str, set[int] | None]
) -> tuple[frozenset[str], bool]:
    """The names that broken parts declared, and whether there may be more."""
    names: set[str] = set()
    blind = False
    for section in set(_DECLARING) & broken.keys():
        found, known = _names(spec.get(section), broken[section])
        names |= found
        blind |= not known
    return frozenset(names), blind


def _names(value: Any, indices: Iterable[int] | None) -> tuple[set[str], bool]:
    if isinstance(value, dict):
        return {str(name) for name in value}, True
    if not isinstance(value, list):
        return set(), False
    items = value if indices is None else [value[index] for index in indices]
    names = [item.get("name") if isinstance(item, dict) else None for item in items]
    texts = {name for name in names if isinstance(name, str)}
    return texts, len(texts) == len(set(map(str, names)))


def _repair(spec: dict[str, Any], name: str, items: set[int] | None) -> tuple[int, ...] | None:
    """Takes broken items out, or puts a stand-in; the indices that are left of a list."""
    if items is not None:
        kept = [index for index in range(len(spec[name])) if index not in items]
        spec[name] = [spec[name][index] for index in kept]
        if kept or name not in _SPEC_STAND_INS:
            return tuple(kept)
    spec.pop(name, None)
    if name in _SPEC_STAND_INS:
        spec[name] = deepcopy(_SPEC_STAND_INS[name])
    return None
