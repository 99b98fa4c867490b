"""What is kept of readings."""

import pytest

from kubetune.domain.actions import (
    DrawTrials,
    LaunchTrial,
    RecordPoints,
)
from kubetune.domain.observation import Reading
from kubetune.domain.planner import plan
from kubetune.domain.trial import Point
from tests.builders import (
    make_observation,
    make_points,
    make_run,
    make_study,
    make_trial,
)
from tests.unit.domain.planned import planned


class TestReadings:
    def test_new_points_are_recorded_in_order_and_known_ones_are_not(self) -> None:
        """A source may repeat itself."""
        reading = Reading(make_points(0.1, 0.2, 0.3)[::-1])
        trial = make_trial(0, curve=make_points(0.1))
        seen = make_observation(
            trial, runs=(make_run(0),), readings={0: reading}, spec=make_study(parallelism=1)
        )
        (record,) = plan(seen).actions
        assert record == RecordPoints(0, make_points(0.2, 0.3, start=2))

    @pytest.mark.parametrize("point", [Point(float("nan"), {"accuracy": 1.0}), Point(1, {})])
    def test_a_point_without_step_or_metric_is_none(self, point: Point) -> None:
        """What cannot be placed on a curve is left."""
        seen = make_observation(make_trial(0), runs=(make_run(0),), readings={0: Reading((point,))})
        assert planned(seen, RecordPoints) == []

    def test_recording_waits_for_a_pass_without_draws(self) -> None:
        """A free slot waits for a draw, not for the book-keeping of others."""
        seen = make_observation(
            make_trial(0), runs=(make_run(0),), readings={0: Reading(make_points(0.5))}
        )
        assert plan(seen).actions == (DrawTrials(1),)

    def test_a_reading_of_a_trial_without_a_run_is_old(self) -> None:
        """The next attempt starts from what is stored."""
        seen = make_observation(
            make_trial(0), readings={0: Reading(make_points(0.5))}, spec=make_study(parallelism=1)
        )
        assert plan(seen).actions == (LaunchTrial(0, 1),)
