"""What a sampler sees of a parameter: one axis with a distribution that never changes.

Samplers that model all parameters jointly lose a parameter for good once its distribution differs
between two trials. So an axis is fixed by the parameter alone; constraints move a coordinate along
it, never the axis.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

from kubetune.domain.space import Choice, Double, Integer, Parameter
from kubetune.domain.values import Value

INDEX_LIMIT = 512
"""Up to so many values, a whole-number parameter is handled as a list of values."""


class AxisKind(StrEnum):
    """DOUBLE and INT: [low, high]; CATEGORY: 0 .. size - 1 without order."""

    DOUBLE = "double"
    INT = "int"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One coordinate. `size` counts the values behind it, 0 when there is a continuum."""

    name: str
    kind: AxisKind
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    size: int = 0

    @property
    def middle(self) -> float | int:
        """A coordinate in the middle, for a parameter that does not matter here."""
        match self.kind:
            case AxisKind.CATEGORY:
                return 0
            case AxisKind.INT:
                return int((self.low + self.high) // 2)
            case _ if self.log:
                return math.sqrt(self.low) * math.sqrt(self.high)
            case _:
                return (self.low + self.high) / 2

    def at(self, unit: float) -> float | int:
        """The coordinate at a share `unit` in [0, 1) of the axis."""
        match self.kind:
            case AxisKind.CATEGORY:
                return min(int(unit * self.size), self.size - 1)
            case AxisKind.INT:
                return self._whole(unit)
            case _:
                low, high = scaled(self, self.low), scaled(self, self.high)
                return unscaled(self, low + (high - low) * unit)

    def _whole(self, unit: float) -> int:
        low, high = int(self.low), int(self.high)
        if self.log:
            start, end = math.log(low - 0.5), math.log(high + 0.5)
            return min(max(round(math.exp(start + unit * (end - start))), low), high)
        return min(low + int(unit * (high - low + 1)), high)


def scaled(item: Axis | Double | Integer, value: float) -> float:
    """The value on the scale on which the parameter is uniform."""
    return math.log(value) if item.log else value


def unscaled(item: Axis | Double | Integer, value: float) -> float:
    """The inverse of `scaled`, kept inside the range."""
    return min(max(math.exp(value) if item.log else value, item.low), item.high)


def listed(parameter: Parameter) -> tuple[Value, ...] | None:
    """The values of a parameter that is handled as a list; None for a range."""
    match parameter:
        case Choice():
            return parameter.values
        case Double(step=None) | Integer(log=True):
            return None
        case Integer() if (parameter.high - parameter.low) // parameter.step >= INDEX_LIMIT:
            return None
        case _:
            return parameter.values


def ordered(parameter: Parameter) -> bool:
    """Whether neighbouring values are alike."""
    return not isinstance(parameter, Choice) or parameter.ordered


def axis(parameter: Parameter) -> Axis:
    """The axis of a parameter: its own range, or the index into its values."""
    name = parameter.name
    match parameter:
        case Double(step=None):
            low, high, log = parameter.low, parameter.high, parameter.log
            return Axis(name=name, kind=AxisKind.DOUBLE, low=low, high=high, log=log)
        case Integer(step=1):
            low, high, log = parameter.low, parameter.high, parameter.log
            count = high - low + 1
            return Axis(name=name, kind=AxisKind.INT, low=low, high=high, log=log, size=count)
        case _:
            size = _size(parameter)
            kind = AxisKind.INT if ordered(parameter) else AxisKind.CATEGORY
            return Axis(name=name, kind=kind, low=0, high=size - 1, size=size)


def value_at(parameter: Parameter, coordinate: float) -> Value:
    """The value at a coordinate of the parameter's axis."""
    match parameter:
        case Double(step=None):
            return min(max(float(coordinate), parameter.low), parameter.high)
        case Integer(step=1):
            return int(coordinate)
        case Integer():
            return parameter.low + parameter.step * int(coordinate)
        case Double():
            return parameter.values[int(coordinate)]  # type: ignore[index] # it has a step
        case Choice():
            return parameter.values[int(coordinate)]


def coordinate_of(parameter: Parameter, value: Value) -> float | int:
    """The inverse of `value_at`.

    Raises:
        ValueError: the value is none of the parameter's.
    """
    match parameter:
        case Double(step=None):
            return float(value)
        case Integer(step=1):
            return int(value)
        case Integer():
            return (int(value) - parameter.low) // parameter.step
        case Double():
            return parameter.values.index(float(value))  # type: ignore[union-attr] # it has a step
        case Choice():
            return parameter.values.index(value)


def within(parameter: Parameter, value: Value) -> bool:
    """Whether a value is one of the parameter's."""
    if not isinstance(parameter, Double | Integer):
        return value in parameter.values
    if isinstance(value, bool | str) or not parameter.low <= value <= parameter.high:
        return False
    if isinstance(parameter, Integer):
        return (value - parameter.low) % parameter.step == 0
    return parameter.values is None or value in parameter.values


def snapped(parameter: Parameter, value: Value) -> Value:
    """The nearest legal value of a whole-number range; other values as they are."""
    if not isinstance(parameter, Integer):
        return value
    steps = round((float(value) - parameter.low) / parameter.step)
    highest = (parameter.high - parameter.low) // parameter.step
    return parameter.low + parameter.step * min(max(steps, 0), highest)


def share_of(parameter: Parameter, value: Value) -> float:
    """Where a value lies in its range, as a share in [0, 1] on the parameter's scale."""
    values = listed(parameter)
    if values is not None:
        return (values.index(value) + 0.5) / len(values)
    assert isinstance(parameter, Double | Integer)
    margin = parameter.step / 2 if isinstance(parameter, Integer) else 0.0
    low = scaled(parameter, parameter.low - margin)
    high = scaled(parameter, parameter.high + margin)
    return (scaled(parameter, float(value)) - low) / (high - low) if high > low else 0.5


def _size(parameter: Parameter) -> int:
    if isinstance(parameter, Integer):
        return (parameter.high - parameter.low) // parameter.step + 1
    return len(parameter.values)  # type: ignore[arg-type] # a Double here has a step
