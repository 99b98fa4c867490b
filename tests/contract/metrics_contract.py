"""What every source of live values promises: a test class that each implementation inherits."""

import math
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import pytest

from kubetune.domain.observation import Reading
from kubetune.domain.ports import MetricSource
from kubetune.domain.trial import Point
from tests.builders import make_run


class MetricsKit(Protocol):
    """One source, and the trials 0, 1 and 2, attempt 1, that it can see."""

    source: MetricSource

    def show(self, number: int, name: str, value: float, /, **labels: str) -> None:
        """Makes a trial show a value from now on."""

    async def settle(self) -> None:
        """Returns when the source can know what was shown last."""


class MetricsContract:
    """The rules. A subclass gives `open_kit`."""

    def open_kit(self, folder: Path) -> AbstractAsyncContextManager[MetricsKit]:
        raise NotImplementedError

    @pytest.fixture
    async def kit(self, tmp_path: Path) -> AsyncIterator[MetricsKit]:
        async with self.open_kit(tmp_path) as kit:
            yield kit

    async def test_nobody_is_asked_about_nothing(self, kit: MetricsKit) -> None:
        """Without a run there is no reading."""
        assert await kit.source.read([]) == {}

    async def test_a_point_is_read(self, kit: MetricsKit) -> None:
        """A value at the trial's step is a point, and the progress comes with it."""
        report(kit, 0, 3, loss=0.5, accuracy=0.75)
        kit.show(0, "kubetune_trial_progress_ratio", 0.25)
        assert await read(kit, 0) == Reading((Point(3.0, {"loss": 0.5, "accuracy": 0.75}),), 0.25)

    async def test_a_metric_belongs_to_its_own_step(self, kit: MetricsKit) -> None:
        """What is reported seldom is not taken for new: it stays at the step that it names."""
        report(kit, 0, 3, loss=0.5)
        kit.show(0, "kubetune_trial_metric", 0.75, name="accuracy")
        kit.show(0, "kubetune_trial_metric_step", 1, name="accuracy")
        points = (Point(1.0, {"accuracy": 0.75}), Point(3.0, {"loss": 0.5}))
        assert (await read(kit, 0)).points == points

    async def test_values_that_are_not_finite_come_through(self, kit: MetricsKit) -> None:
        """NaN is what a diverged trial says; nobody may hide it."""
        report(kit, 0, 3, loss=math.nan, norm=math.inf)
        (point,) = (await read(kit, 0)).points
        assert math.isnan(point.metrics["loss"])
        assert point.metrics["norm"] == math.inf

    async def test_what_makes_no_sense_is_left_out(self, kit: MetricsKit) -> None:
        """Names that are none, steps that are none: the rest counts."""
        report(kit, 0, 3, loss=0.5)
        for name in ('x"} or up{', "a b", "", "y" * 64):
            kit.show(0, "kubetune_trial_metric", 9.0, name=name)
        for name, step in (("before", -1.0), ("never", math.inf), ("nowhere", math.nan)):
            kit.show(0, "kubetune_trial_metric", 9.0, name=name)
            kit.show(0, "kubetune_trial_metric_step", step, name=name)
        kit.show(0, "kubetune_trial_progress_ratio", 7.0)
        kit.show(0, "something_else", 1.0)
        assert await read(kit, 0) == Reading((Point(3.0, {"loss": 0.5}),), 1.0)

    async def test_trials_are_told_apart(self, kit: MetricsKit) -> None:
        """Each trial's values are its own; one that shows nothing takes nothing from others."""
        report(kit, 0, 1, loss=0.5)
        report(kit, 2, 2, loss=0.25)
        await kit.settle()
        readings = await kit.source.read([make_run(number) for number in range(3)])
        assert readings[0].points == (Point(1.0, {"loss": 0.5}),)
        assert readings.get(1, Reading()) == Reading()
        assert readings[2].points == (Point(2.0, {"loss": 0.25}),)

    async def test_only_who_is_asked_about_is_told(self, kit: MetricsKit) -> None:
        """A run that nobody asked about is not in the answer."""
        report(kit, 0, 1, loss=0.5)
        report(kit, 1, 1, loss=0.5)
        await kit.settle()
        assert (await kit.source.read([make_run(0)])).keys() == {0}

    async def test_a_question_may_be_asked_again(self, kit: MetricsKit) -> None:
        """What is shown later is read later."""
        report(kit, 0, 1, loss=0.5)
        await read(kit, 0)
        report(kit, 0, 2, loss=0.25)
        assert (await read(kit, 0)).points == (Point(2.0, {"loss": 0.25}),)


def report(kit: MetricsKit, number: int, step: float, **metrics: float) -> None:
    """Shows values as the trainer does."""
    kit.show(number, "kubetune_trial_step", step)
    for name, value in metrics.items():
        kit.show(number, "kubetune_trial_metric", value, name=name)


async def read(kit: MetricsKit, number: int) -> Reading:
    """What one running trial shows."""
    await kit.settle()
    return (await kit.source.read([make_run(number)]))[number]
