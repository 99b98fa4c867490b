"""What a trial shows of itself while it runs: samples of four names, and the reading they make."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

from kubetune.domain.observation import Reading
from kubetune.domain.result import METRIC_NAME
from kubetune.domain.trial import Point

METRIC = "kubetune_trial_metric"
METRIC_STEP = "kubetune_trial_metric_step"
STEP = "kubetune_trial_step"
PROGRESS = "kubetune_trial_progress_ratio"

METRIC_LIMIT = 100
"""Metrics taken of one trial; further ones are left out."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One value under one of the four names; `metric` is its label `name`, "" when it has none."""

    name: str
    metric: str
    value: float


def reading_of(samples: Iterable[Sample]) -> Reading:
    """The newest points and the progress; samples of other names are left alone.

    A point needs a finite step from 0 and at least one metric, whose value may be NaN or infinite.
    A metric that names its own step belongs to that one: reported seldom, it is not taken for new.
    """
    step, progress = math.nan, 0.0
    metrics: dict[str, float] = {}
    steps: dict[str, float] = {}
    for sample in samples:
        value = sample.value
        if sample.name == STEP:
            step = value
        elif sample.name == PROGRESS:
            progress = min(max(value, 0.0), 1.0) if math.isfinite(value) else 0.0
        elif sample.name == METRIC_STEP:
            steps[sample.metric] = value
        elif sample.name == METRIC and METRIC_NAME.fullmatch(sample.metric):
            metrics[sample.metric] = value
    return Reading(points=_points(metrics, steps, step), progress=progress)


def _points(
    metrics: Mapping[str, float], steps: Mapping[str, float], newest: float
) -> tuple[Point, ...]:
    """One point for each step that a metric belongs to, in order."""
    grouped: dict[float, dict[str, float]] = {}
    for metric, value in islice(metrics.items(), METRIC_LIMIT):
        step = steps.get(metric, newest)
        if 0 <= step < math.inf:
            grouped.setdefault(step, {})[metric] = value
    return tuple(Point(step, grouped[step]) for step in sorted(grouped))
