"""Parameters and values as axes of a plot."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kubetune.domain import axes
from kubetune.domain.space import Choice, Integer, Parameter
from kubetune.domain.study import Direction
from kubetune.domain.trial import Trial
from kubetune.domain.values import Value
from kubetune.report.plots import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEW = 12
"""More values than this are not all named on an axis."""

FAR = 3.0
"""Values farther from the middle half than so many times its width are off the scale."""

MARGIN = 0.04


@dataclass(frozen=True, slots=True)
class Scale:
    """An axis of a parameter: positions from `low` to `high`, and ticks that name some of them.

    A list has the positions 0, 1, 2 ...; a logarithmic range that of the decimal logarithm.
    """

    name: str
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]
    values: tuple[Value, ...] | None = None
    ordered: bool = True
    log: bool = False

    def at(self, trial: Trial) -> float | None:
        """The position of a trial; None where the parameter is not active, or out of the list."""
        if self.name not in trial.active or self.name not in trial.parameters:
            return None
        return self.place(trial.parameters[self.name])

    def place(self, value: Value) -> float | None:
        """The position of a value; None of one that is not on the axis."""
        if self.values is not None:
            return float(self.values.index(value)) if value in self.values else None
        if isinstance(value, str):
            return None
        number = float(value)
        if self.log:
            return math.log10(number) if number > 0 else None
        return number

    def show(self, shown: "Axes", *, along: str = "x", longest: int = 16) -> None:
        """Sets limits, ticks and labels."""
        margin = 0.5 if self.values else MARGIN * (self.high - self.low) or 0.5
        limits = (self.low - margin, self.high + margin)
        positions = [position for position, _ in self.ticks]
        labels = [style.shortened(label, longest) for _, label in self.ticks]
        name = style.wrapped(self.name, 30, 2)
        if along == "y":
            shown.set_ylim(limits)
            shown.set_yticks(positions, labels)
            shown.set_ylabel(name)
            return
        turned = sum(map(len, labels)) > 40 or len(labels) > FEW  # noqa: PLR2004 - they would meet
        shown.set_xlim(limits)
        shown.set_xticks(positions, labels, rotation=90 if turned else 0)
        if turned:
            shown.tick_params(axis="x", labelsize=7)
        shown.set_xlabel(name)


def scale(parameter: Parameter) -> Scale:
    """The axis of a parameter, on the scale on which it is searched."""
    ordered = axes.ordered(parameter)
    listed = parameter.values if isinstance(parameter, Choice) else None
    if listed is not None:
        ticks = tuple((float(place), short(value)) for place, value in enumerate(listed))
        if len(listed) > FEW and ordered:
            ticks = ticks[:: -(-len(ticks) // FEW)]
        return Scale(parameter.name, 0.0, len(listed) - 1.0, ticks, listed, ordered)
    assert not isinstance(parameter, Choice)
    low, high = float(parameter.low), float(parameter.high)
    if parameter.log and low > 0:
        low, high = math.log10(low), math.log10(high)
        return Scale(parameter.name, low, high, log_ticks(low, high), log=True)
    places = _round_ticks(low, high)
    if isinstance(parameter, Integer):
        places = [place for place in places if place.is_integer()] or [low, high]
    return Scale(parameter.name, low, high, tuple((place, short(place)) for place in places))


def log_ticks(low: float, high: float) -> tuple[tuple[float, str], ...]:
    """Powers of ten between two logarithms; within less than two decades, 2 and 5 as well."""
    first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
    stride = max(1, -(-(last - first) // 6))
    powers = list(range(first, last + 1, stride))
    if len(powers) >= 3:  # noqa: PLR2004 - enough to read a scale by
        return tuple((float(power), short(10.0**power)) for power in powers)
    steps = (1, 2, 5) if high - low > 0.7 else (1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9)  # noqa: PLR2004 - of a decade
    near = [step * 10.0**power for power in range(first - 1, last + 1) for step in steps]
    inside = [one for one in near if low - 1e-9 <= math.log10(one) <= high + 1e-9]
    if len(inside) < 2:  # noqa: PLR2004 - one tick is no scale
        inside = [10.0**low, 10.0**high]
    return tuple((math.log10(one), short(one)) for one in inside)


def short(value: Value) -> str:
    """A value as a label: `1e-4`, `0.05`, `128`, `adamw`."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        if float(value).is_integer() and abs(value) < 1e6:  # noqa: PLR2004 - read at a glance
            return str(int(value))
        text = f"{value:.3g}"
        mantissa, e, power = text.partition("e")
        if not e and value and abs(value) < 1e-3:  # noqa: PLR2004 - noughts are hard to count
            mantissa, e, power = f"{value:.0e}".partition("e")
        return f"{mantissa}e{int(power)}" if e else text
    return str(value)


@dataclass(frozen=True, slots=True)
class Window:
    """The part of the values that is shown, and how many are beyond it."""

    low: float
    high: float
    beyond: int

    def clip(self, value: float) -> float:
        """The value, or the end that it is beyond."""
        return min(max(value, self.low), self.high)

    def hides(self, value: float) -> bool:
        """Whether the value is shown at an end, not where it is."""
        return not self.low <= value <= self.high

    def show(self, shown: "Axes", *, along: str = "y") -> None:
        """Sets the limits, and says how many values are off the scale."""
        margin = MARGIN * (self.high - self.low) or max(abs(self.high), 1.0) * MARGIN
        limits = (self.low - margin, self.high + margin)
        if along == "x":
            shown.set_xlim(limits)
        else:
            shown.set_ylim(limits)


def window(values: Iterable[float], kept: Iterable[float] = ()) -> Window:
    """What to show of values: all of them, unless a few are very far from the rest.

    `kept` are shown in any case. What is not a number counts as beyond.
    """
    everything = list(values)
    finite = np.array([value for value in everything if math.isfinite(value)])
    must = [value for value in kept if math.isfinite(value)]
    if not len(finite):
        low, high = (min(must), max(must)) if must else (0.0, 1.0)
        return Window(low, high, len(everything))
    with np.errstate(over="ignore", invalid="ignore"):
        one, three = np.quantile(finite, (0.25, 0.75))
        width = FAR * (three - one)
        if not math.isfinite(width):
            width = 0.0
        inside = finite[(finite >= one - width) & (finite <= three + width)]
    if not len(inside) or width == 0:
        inside = finite if width or np.ptp(finite) < 1e6 * (abs(one) or 1.0) else inside
    if not len(inside):
        inside = np.array([np.median(finite)])
    low, high = min([float(inside.min()), *must]), max([float(inside.max()), *must])
    hidden = sum(not low <= value <= high for value in everything)
    if hidden and 2 * float(np.ptp(inside)) > float(np.ptp(finite)):
        low, high = min([float(finite.min()), *must]), max([float(finite.max()), *must])
        hidden = len(everything) - len(finite)
    return Window(low, high, hidden)


def off_scale(number: int) -> str:
    """The note on values beyond the window; empty without one."""
    return f"{number} off the scale, at its edge" if number else ""


def spread(number: int, width: float = 0.3) -> NDArray[np.float64]:
    """Offsets that keep dots of equal value apart: even, and the same at every call."""
    turns = np.arange(number, dtype=np.float64) * 0.61803398875
    offsets: NDArray[np.float64] = 2 * width * (turns % 1.0 - 0.5)
    return offsets


def better_first(values: Sequence[float], direction: Direction) -> list[float]:
    """Values turned so that less is better."""
    sign = 1.0 if direction is Direction.MINIMIZE else -1.0
    return [sign * value for value in values]


def _round_ticks(low: float, high: float) -> list[float]:
    """About five round places between two ends."""
    if not high > low:
        return [low]
    power = 10.0 ** math.floor(math.log10((high - low) / 4))
    step = next(power * step for step in (1, 2, 2.5, 5, 10) if (high - low) / (power * step) <= 5)  # noqa: PLR2004 - ticks
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]
