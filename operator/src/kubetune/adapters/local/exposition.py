"""Reads what a trial shows on its metrics port: Prometheus text, of which four names count."""

import math
from collections.abc import Iterator, Mapping
from itertools import islice

from kubetune.domain.observation import Reading
from kubetune.domain.result import METRIC_NAME
from kubetune.domain.trial import Point

METRIC_LIMIT = 100
"""Metrics taken of one trial; further ones are left out."""

_PREFIX = "kubetune_trial_"
_LINE_LIMIT = 4 * METRIC_LIMIT


def parse(body: bytes) -> Reading:
    """The newest points and the progress; an empty reading when the text is not what it should be.

    A point needs a finite step from 0 and at least one metric, whose value may be NaN or infinite.
    A metric that names its own step belongs to that one: reported seldom, it is not taken for new.
    """
    step, progress = math.nan, 0.0
    metrics: dict[str, float] = {}
    steps: dict[str, float] = {}
    try:
        for name, labels, value in _samples(body):
            metric = labels.get("name", "")
            if name == "kubetune_trial_step":
                step = value
            elif name == "kubetune_trial_progress_ratio":
                progress = min(max(value, 0.0), 1.0) if math.isfinite(value) else 0.0
            elif name == "kubetune_trial_metric_step":
                steps[metric] = value
            elif name == "kubetune_trial_metric" and METRIC_NAME.fullmatch(metric):
                metrics[metric] = value
    except Exception:  # noqa: BLE001 - the parser raises many kinds on garbage, all mean the same
        return Reading()
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


def _samples(body: bytes) -> Iterator[tuple[str, dict[str, str], float]]:
    """The study's own samples; the rest of what a trial shows is not even parsed."""
    lines = body.decode(errors="replace").split("\n")
    ours = [line for line in lines if line.startswith(_PREFIX)][:_LINE_LIMIT]
    if not ours:
        return
    from prometheus_client.parser import (  # noqa: PLC0415 - 90 ms, paid by the first live trial
        text_string_to_metric_families,
    )

    for family in text_string_to_metric_families("\n".join(ours) + "\n"):
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value
