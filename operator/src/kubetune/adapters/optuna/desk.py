"""Where the trials of one phase are drawn: its space, its sampler, and what it knows of others."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kubetune.adapters.optuna.carrying import Carrier
from kubetune.adapters.optuna.drawing import Drafter
from kubetune.adapters.optuna.records import Record
from kubetune.domain.coordinates import Coordinates
from kubetune.domain.space import Space
from kubetune.domain.study import Phase, SamplerAlgorithm, StudySpec


@dataclass(frozen=True, slots=True)
class Desk:
    """A phase's drafter. `carrier` is None in a study of one phase: all trials are its own."""

    phase: str
    space: Space
    drafter: Drafter
    carrier: Carrier | None

    @classmethod
    def of(cls, spec: StudySpec, phase: Phase, space: Space) -> "Desk":
        """A phase's desk over what its space was narrowed to.

        Raises:
            InvalidSpec: its sampler cannot run here.
        """
        coordinates = Coordinates(space)
        drafter = Drafter(replace(spec, space=space, sampler=phase.sampler), coordinates)
        onward = phase.sampler.algorithm is SamplerAlgorithm.QMC
        carrier = Carrier(phase.name, coordinates, onward=onward) if spec.phases else None
        return cls(phase.name, space, drafter, carrier)

    def history(self, records: Sequence[Record]) -> list[Record]:
        """The study's records as this phase sees them."""
        return list(records) if self.carrier is None else self.carrier.history(records)
