"""Drawn curves: trials that train as one would like them to, with noise, and spoilt ones."""

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

from kubetune.domain.study import Direction, Objective, StudySpec
from kubetune.domain.trial import Point, Trial
from tests.builders import make_outcome, make_study, make_trial

LOSS = Objective(metric="eval_loss", direction=Direction.MINIMIZE)
F1 = Objective(metric="eval_macro_f1", direction=Direction.MAXIMIZE)


def study(objective: Objective = LOSS) -> StudySpec:
    """A study of one objective."""
    return make_study(objectives=(objective,))


def trial(number: int = 0, *, every: float = 1, first: float = 1, **metrics: Any) -> Trial:
    """A complete trial; each metric is a list of values, one each `every` steps from `first`."""
    steps: dict[float, dict[str, float]] = {}
    for name, values in metrics.items():
        for index, value in enumerate(values):
            steps.setdefault(first + every * index, {})[name] = value
    return joined(number, steps)


def joined(number: int, steps: Mapping[float, Mapping[str, float]], **changes: Any) -> Trial:
    """A complete trial of reports by step."""
    points = tuple(Point(step, metrics) for step, metrics in sorted(steps.items()))
    return make_trial(number, outcome=make_outcome(0.5, **changes), curve=points)


def falling(count: int, start: float, end: float, pace: float) -> list[float]:
    """An exponential fall; `pace` is the share of the course after which 63 % is done."""
    return [end + (start - end) * math.exp(-(index + 1) / count / pace) for index in range(count)]


def scattered(rng: random.Random, values: Sequence[float], deviation: float) -> list[float]:
    """With normal noise."""
    return [value + rng.gauss(0.0, deviation) for value in values]


def healthy(rng: random.Random, number: int, objective: Objective, settings: "Settings") -> Trial:
    """Falls, levels off and scatters; norms are skewed as those of real gradients are."""
    count, logs = settings.evaluations, settings.logs
    pace = settings.pace * rng.uniform(0.6, 1.6)
    start = settings.start
    end = start - (start - settings.end) * rng.uniform(0.8, 1.0)
    if objective.direction is Direction.MINIMIZE:
        judged = falling(count, start, end, pace)
        judged = scattered(rng, judged, settings.noise * (start - end))
    else:
        misses = scattered(rng, falling(count, 0.9, 0.9 * end / start, pace), settings.noise * 0.3)
        judged = [min(1.0, max(0.0, 1.0 - miss)) for miss in misses]
    losses = falling(count * logs, start, end * settings.gap, pace)
    losses = [loss * math.exp(rng.gauss(0.0, settings.scatter)) for loss in losses]
    norms = [
        settings.norm * (1 + 3 * math.exp(-index / 5)) * math.exp(rng.gauss(0.0, settings.skew))
        for index in range(count * logs)
    ]
    steps: dict[float, dict[str, float]] = {}
    for index, (loss, norm) in enumerate(zip(losses, norms, strict=True)):
        steps[index + 1] = {"train_loss": loss, "gradient_norm": norm, "gradient_explosions": 0.0}
    for index, value in enumerate(judged):
        steps[(index + 1) * logs][objective.metric] = value
    return joined(number, steps)


class Settings:
    """What all healthy trials of one study have in common, drawn."""

    def __init__(self, rng: random.Random) -> None:
        self.evaluations = rng.choice((3, 5, 8, 10, 16, 20, 30, 60))
        self.logs = rng.choice((1, 2, 4))
        self.start = rng.choice((0.7, 2.3, 6.0, 11.0))
        self.end = self.start * rng.choice((0.05, 0.2, 0.5, 0.9))
        self.pace = rng.choice((0.05, 0.1, 0.3, 0.8))
        self.noise = rng.choice((0.0, 0.01, 0.03, 0.1))
        self.scatter = rng.choice((0.01, 0.1, 0.3, 0.6))
        self.gap = rng.choice((0.6, 0.9, 1.0))
        self.norm = rng.choice((0.01, 0.5, 20.0))
        self.skew = rng.choice((0.1, 0.3, 0.6))
