"""What trials of one phase teach another, whose space is narrower, wider, or both."""

from collections.abc import Sequence
from dataclasses import replace

from kubetune.adapters.optuna.records import Record
from kubetune.domain.axes import coordinate_of, within
from kubetune.domain.coordinates import Coordinates, Point
from kubetune.domain.trial import Stage


class Carrier:
    """Turns a study's records into those that a phase's sampler learns from.

    Every trial keeps its place, so that numbers stay what they are. One of another phase gets the
    coordinates that its values have in this phase's space; a parameter that it did not have stands
    in the middle of its axis, as an inactive one does. One that lies outside teaches nothing: a
    model of a narrow space must not be told of what lies beyond. What samplers noted about it
    belongs to its own phase. So it is with a trial of this phase that was drawn from another space:
    what a phase is narrowed to moves when an earlier one goes on after all.

    `onward`: the phase's sequence of points goes on where those of other phases have ended.
    """

    def __init__(self, phase: str, coordinates: Coordinates, *, onward: bool = False) -> None:
        self._phase = phase
        self._coordinates = coordinates
        self._onward = onward
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
        point = self._point(record)
        own = record.trial.phase == self._phase and not record.trial.initial
        if own and (record.trial.stage is not Stage.SEARCH or self._drawn_here(record, point)):
            return record
        proposals = record.proposals if self._onward else 0
        outside = point is None
        return replace(record, point=point or {}, proposals=proposals, memory={}, outside=outside)

    def _drawn_here(self, record: Record, point: Point | None) -> bool:
        """Whether a point is one of these axes, with the same meaning.

        What stands there for an inactive parameter means nothing, but must be on its axis.
        """
        if point is None or point.keys() != record.point.keys():
            return False
        active = record.trial.active
        return all(
            axis.low <= record.point[axis.name] <= axis.high
            and (axis.name not in active or record.point[axis.name] == point[axis.name])
            for axis in self._coordinates.axes
        )

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
