"""Advice on best values at an end of their range."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from kubetune.domain.space import Choice, Double, Integer, Parameter
from kubetune.domain.trial import Trial
from kubetune.report import top
from kubetune.report.findings import Findings
from kubetune.report.markdown import code, figure

EDGE = 0.02
"""So close to an end of its range, as a share of it, a value is called at the edge."""

NEAR = 0.1
"""So close, others of the top count as witnesses."""

DECADE = 10.0


def edges(findings: Findings) -> Iterator[str]:
    """Each such value, how many of the top say the same, and the range to try next."""
    best = findings.best
    for parameter in findings.spec.space.parameters:
        if best is None or parameter.name not in best.active:
            continue
        value = best.parameters[parameter.name]
        edge = at_edge(parameter, value) if isinstance(value, int | float) else None
        if edge:
            searched = top.bounds(findings.spec, parameter.name)
            yield (
                f"{code(parameter.name)} of the best trial is {figure(value)}, at the {edge} end of"
                f" its range ({searched}){_witnesses(findings, parameter, edge)}:"
                f" {_next(parameter, edge)}."
            )


def at_edge(parameter: Parameter, value: float) -> str | None:
    """`lower` or `upper` when the value lies at that end; None of a choice of two, or of words."""
    place = _place(parameter, value)
    if place is None:
        return None
    limit = EDGE if isinstance(parameter, Double) and parameter.step is None else 1e-9
    return "lower" if place <= limit else "upper" if place >= 1 - limit else None


def _place(parameter: Parameter, value: float) -> float | None:
    """Where the value lies, from 0 to 1 on the scale searched; None where that says nothing."""
    if isinstance(parameter, Choice):
        if not parameter.ordered or len(parameter.values) < 3:  # noqa: PLR2004 - both are ends
            return None
        numbers = [float(each) for each in parameter.values]
        low, high, log = min(numbers), max(numbers), False
    else:
        low, high, log = float(parameter.low), float(parameter.high), parameter.log
        if isinstance(parameter, Integer) and len(parameter.values) < 3:  # noqa: PLR2004 - both are ends
            return None
    if not low < high or (log and value <= 0):
        return None
    if log:
        return math.log(value / low) / math.log(high / low)
    return (value - low) / (high - low)


def _witnesses(findings: Findings, parameter: Parameter, edge: str) -> str:
    """How many of the top lie near the same end; empty where there is no top."""
    leaders = top.top(findings)
    if len(leaders) < top.SIZE:
        return ""
    near = sum(_near(parameter, trial, edge) for trial in leaders)
    verb = "is" if near == 1 else "are"
    return f", and {near} of the top {len(leaders)} {verb} near it"


def _near(parameter: Parameter, trial: Trial, edge: str) -> bool:
    value = trial.parameters.get(parameter.name)
    if parameter.name not in trial.active or not isinstance(value, int | float):
        return False
    place = _place(parameter, value)
    return place is not None and (place <= NEAR if edge == "lower" else place >= 1 - NEAR)


def _next(parameter: Parameter, edge: str) -> str:
    """What to search next."""
    if isinstance(parameter, Choice):
        ahead = _continued(sorted(float(value) for value in parameter.values), edge)
        more = "smaller" if edge == "lower" else "larger"
        return f"add {figure(_whole(parameter, ahead))}" if ahead else f"add {more} values"
    low, high = float(parameter.low), float(parameter.high)
    if edge == "lower" and low == 0:
        return "nothing is below 0 for most such values: fix it at 0, and search the rest"
    if parameter.log:
        reach = min(math.sqrt(high / low), DECADE)
        low, high = (low / reach, low * reach) if edge == "lower" else (high / reach, high * reach)
    elif edge == "lower":
        half = (high - low) / 2
        low, high = (max(low - half, low / 2) if low > 0 else low - half), low + half
    else:
        half = (high - low) / 2
        low, high = high - half, high + half
    if isinstance(parameter, Integer):
        return f"search {max(round(low), 1 if parameter.log else round(low))} to {round(high)} next"
    return f"search {_round(low)} to {_round(high)} next"


def _continued(values: Sequence[float], edge: str) -> float | None:
    """The number before or after a list of even ratios or even steps; None of any other list."""
    ratios = {round(after / before, 6) for before, after in pairwise(values) if before}
    steps = {round(after - before, 9) for before, after in pairwise(values)}
    if len(ratios) == 1 and values[0] > 0:
        ratio = ratios.pop()
        return values[0] / ratio if edge == "lower" else values[-1] * ratio
    if len(steps) == 1:
        step = steps.pop()
        ahead = values[0] - step if edge == "lower" else values[-1] + step
        return ahead if ahead > 0 or values[0] <= 0 else None
    return None


def _whole(parameter: Choice, number: float) -> float | int:
    whole = all(isinstance(value, int) for value in parameter.values) and number.is_integer()
    return int(number) if whole else number


def _round(number: float) -> str:
    return f"{number:.2g}" if abs(number) < 100 else f"{number:.0f}"  # noqa: PLR2004 - digits
