"""The study as one of its phases runs it: the phase's own parts in the places of the study's."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import replace as replaced

from kubetune.api import convert_space
from kubetune.api.mending import Draft
from kubetune.api.v1alpha1.phase import Phase as WirePhase
from kubetune.domain.faults import Fault, Path
from kubetune.domain.values import Value

_JUDGED = ("parameters", "derived", "fixed", "constraints", "objectives", "sampler", "pruner")


@dataclass(frozen=True, slots=True)
class Overlay:
    """One phase. `draft` is the whole study with the phase's parts; `path` is where it stands.

    `places` tells where each of its own parameters stands in the phase, by its place in `draft`;
    `added` are those that the study does not have at all.
    """

    draft: Draft
    wire: WirePhase
    path: Path
    places: Mapping[int, int]
    added: frozenset[str]

    @classmethod
    def of(cls, draft: Draft, index: int) -> "Overlay":
        """The phase at an index of what is left of a study's phases."""
        spec, wire = draft.study.spec, draft.study.spec.phases[index]
        merged = list(spec.parameters)
        at = {item.name: place for place, item in enumerate(merged)}
        places: dict[int, int] = {}
        for own, item in enumerate(wire.parameters):
            if item.name in at:
                merged[at[item.name]] = item
            else:
                at[item.name] = len(merged)
                merged.append(item)
            places[at[item.name]] = own
        mine = {item.name for item in wire.parameters}
        added = mine - spec.fixed.keys() - {item.name for item in spec.parameters}
        changes = {
            "parameters": merged,
            "fixed": {name: value for name, value in spec.fixed.items() if name not in mine},
            "sampler": wire.sampler or spec.sampler,
            "pruner": wire.pruner or spec.pruner,
        }
        study = draft.study.model_copy(update={"spec": spec.model_copy(update=changes)})
        written = {name: place for name, place in draft.places.items() if name != "parameters"}
        whole = replaced(draft, study=study, places=written)
        return cls(whole, wire, draft.path("phases", index), places, frozenset(added))

    def listed(self, known: Mapping[str, Sequence[Value]]) -> dict[str, Sequence[Value]]:
        """All that listed parameters may be, here or in the rest of the study (`known`)."""
        here = convert_space.listed_values(self.draft)
        both: dict[str, Sequence[Value]] = {
            name: list(dict.fromkeys([*known[name], *here[name]]))
            for name in here.keys() & known.keys()
        }
        return both | {name: here[name] for name in here.keys() & self.added}

    def told(
        self, faults: Iterable[Fault], known: Collection[Fault], named: Sequence[Fault]
    ) -> list[Fault]:
        """Faults of the draft where they were written, after those of the phase's names.

        The study's own, `known`, are told there. What is only wrong together with this phase's
        parameters is told at these, unless something of the phase explains it.
        """
        waiting = list(faults)
        own = [*named, *self.told_own(waiting)]
        if own or not self.draft.sound(*_JUDGED):
            return own
        return [
            replaced(fault, path=(*self.path, "parameters"))
            for fault in waiting
            if fault not in known
        ]

    def told_own(self, faults: Iterable[Fault]) -> Iterator[Fault]:
        """Only those of the phase's own parts."""
        return (replaced(fault, path=path) for fault in faults if (path := self._path(fault)))

    def _path(self, fault: Fault) -> Path | None:
        """Where a fault was written, None when in no part of this phase."""
        section, rest = fault.path[1], fault.path[2:]
        index = rest[0] if section == "parameters" and rest else None
        if isinstance(index, int) and index in self.places:
            return (*self.path, "parameters", self.places[index], *rest[1:])
        if (section == "sampler" and self.wire.sampler) or (
            section == "pruner" and self.wire.pruner
        ):
            return (*self.path, *fault.path[1:])
        return None
