"""The finished trials of a study, as far as a slow one is compared with them."""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from statistics import median

from kubetune.domain.curves import objective_curve
from kubetune.domain.marks import limits, series
from kubetune.domain.study import Objective, Summary
from kubetune.domain.trial import Trial


@dataclass(frozen=True, slots=True)
class Course:
    """The objective of one trial over its steps, as costs: less is better.

    `stood` is what the trial stood at from each report on, by the objective's summary.
    """

    number: int
    steps: tuple[float, ...]
    first: float
    stood: tuple[float, ...]
    noise: float

    def at(self, step: float) -> float | None:
        """By its first report at `step` or after it; None when it did not come so far."""
        index = bisect_left(self.steps, step)
        return self.stood[index] if index < len(self.steps) else None


def course(objective: Objective, trial: Trial) -> Course | None:
    """None without a finite value."""
    judged = series.finite(objective_curve(trial, objective.metric))
    if not judged:
        return None
    costs = series.costs(judged, objective)
    stood = accumulate(costs, min) if objective.summary is Summary.BEST else costs
    return Course(
        number=trial.number,
        steps=tuple(step for step, _ in judged),
        first=costs[0],
        stood=tuple(stood),
        noise=series.noise(costs),
    )


@dataclass(frozen=True, slots=True)
class Usual:
    """What peers stood at when they were at one step: medians, as costs.

    `gain` is how much better they had become since their first report, `noise` what one value
    scatters by, `spread` the standard deviation of what they stood at, `began` the step of their
    first report, `length` how far they went in all.
    """

    count: int
    first: float
    value: float
    gain: float
    noise: float
    spread: float
    began: float
    length: float


class Peers:
    """Courses of finished trials."""

    def __init__(self, courses: Iterable[Course | None]) -> None:
        self._courses = tuple(course for course in courses if course)

    def at(self, step: float, but: int) -> Usual | None:
        """The usual course up to a step, without trial `but`; None with too few that got there."""
        found = [
            (course, stood)
            for course in self._courses
            if course.number != but and (stood := course.at(step)) is not None
        ]
        if len(found) < limits.PEERS:
            return None
        value = median(stood for _, stood in found)
        return Usual(
            count=len(found),
            first=median(course.first for course, _ in found),
            value=value,
            gain=median(course.first - stood for course, stood in found),
            noise=median(course.noise for course, _ in found),
            spread=series.deviation([stood - value for _, stood in found]),
            began=median(course.steps[0] for course, _ in found),
            length=median(course.steps[-1] for course, _ in found),
        )


class Starts:
    """Where finished trials began: the first report of each one's training loss."""

    def __init__(self, trials: Iterable[Trial]) -> None:
        self._firsts: dict[str, dict[int, float]] = {}
        for trial in trials:
            name, losses = series.first_of(trial, series.TRAINING_LOSSES)
            for _, value in series.finite(losses)[:1]:
                self._firsts.setdefault(name, {})[trial.number] = value

    def usual(self, name: str, but: int) -> float | None:
        """The median by a loss of this name, without trial `but`; None with too few trials."""
        firsts = [value for number, value in self._firsts.get(name, {}).items() if number != but]
        return median(firsts) if len(firsts) >= limits.PEERS else None
