"""What trials of one phase teach another, whose space is narrower, wider, or both."""

from collections.abc import Sequence
from dataclasses import replace

from kubetune.adapters.optuna.records import Record
from kubetune.domain.axes import coordinate_of, within
from kubetune.domain.coordinates import Coordinates, Point


class Carrier:
    """Turns a study's records into those that a phase's sampler learns from.

    Every trial keeps its place, so that numbers stay what they are. One of another phase gets the
    coordinates that its values have in this phase's space; a parameter that it did not have stands
    in the middle of its axis, as an inactive one does. One that lies outside teaches nothing: a
    model of a narrow space must not be told of what lies beyond. What samplers noted about it
    belongs to its own phase.
    """

    def __init__(self, phase: str, coordinates: Coordinates) -> None:
        self._phase = phase
        self._coordinates = coordinates
        self._carried: list[tuple[Record, Record]] = []

    def history(self, records: Sequence[Record]) -> list[Record]:
        """The records as this phase sees them; the same object for the same record."""
        del self._carried[len(records) :]
        for index, record in enumerate(records):
            if index == len(self._carried):
                self._carried.append((record, self._seen(record)))
            elif self._carried[index][0] is not record:
                self._carried[index] = record, self._seen(record)
        return [carried for _, carried in self._carried]

    def _seen(self, record: Record) -> Record:
        if record.trial.phase == self._phase and not record.trial.initial:
            return record
        point = self._point(record)
        return replace(record, point=point or {}, proposals=0, memory={}, outside=point is None)

    def _point(self, record: Record) -> Point | None:
        """Its coordinates here, None where a value is none of its parameter's."""
        point: dict[str, float | int] = {}
        for axis, parameter in zip(
            self._coordinates.axes, self._coordinates.space.parameters, strict=True
        ):
            value = record.drawn.get(parameter.name)
            unused = parameter.condition is not None and parameter.name not in record.trial.active
            if value is None or unused:
                point[parameter.name] = axis.middle
            elif within(parameter, value):
                point[parameter.name] = coordinate_of(parameter, value)
            else:
                return None
        return point
