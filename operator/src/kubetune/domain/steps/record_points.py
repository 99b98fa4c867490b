"""What running trials reported since the last pass goes into their curves."""

import math

from kubetune.domain import transitions
from kubetune.domain.draft import Draft
from kubetune.domain.trial import Point


def record_points(draft: Draft) -> Draft:
    """Records the points of each reading that its trial does not have yet.

    A point without a finite step, or without any metric, is none. Readings of trials that have no
    run, or have ended, are old and left.
    """
    for number, reading in sorted(draft.seen.readings.items()):
        if number not in draft.runs:
            continue
        trial = draft.trials[number]
        points = transitions.new_points(
            trial, [point for point in reading.points if _usable(point)]
        )
        in_order = tuple(sorted(points, key=lambda point: point.step))
        draft = draft.record(trial, in_order)
    return draft


def _usable(point: Point) -> bool:
    return math.isfinite(point.step) and bool(point.metrics)
