"""What a trial shows on its port is a stranger's text."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubetune.adapters.local.exposition import METRIC_LIMIT, parse
from kubetune.domain.observation import Reading
from kubetune.domain.trial import Point

GOOD = b"""\
# HELP kubetune_trial_metric What the trial reported last.
# TYPE kubetune_trial_metric gauge
kubetune_trial_metric{name="loss"} 0.5
kubetune_trial_metric{name="accuracy"} 0.75
# TYPE kubetune_trial_step gauge
kubetune_trial_step 3.0
kubetune_trial_progress_ratio 0.25
learning_rate 1e-4
"""


def test_a_point_and_the_progress_are_read() -> None:
    """One read gives the newest point and how far the trial is."""
    point = Point(3.0, {"loss": 0.5, "accuracy": 0.75})
    assert parse(GOOD) == Reading(points=(point,), progress=0.25)


def test_strange_numbers_of_a_metric_are_passed_on() -> None:
    """NaN and infinities are for the engine to judge."""
    text = b'kubetune_trial_step 1\nkubetune_trial_metric{name="a"} NaN\n'
    (point,) = parse(text + b'kubetune_trial_metric{name="b"} +Inf\n').points
    assert math.isnan(point.metrics["a"])
    assert point.metrics["b"] == math.inf


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"<html>not found</html>",
        b'kubetune_trial_metric{name="a"} 1\n',
        b"kubetune_trial_step 1\n",
        b'kubetune_trial_step NaN\nkubetune_trial_metric{name="a"} 1\n',
        b'kubetune_trial_step -1\nkubetune_trial_metric{name="a"} 1\n',
        b'kubetune_trial_step one\nkubetune_trial_metric{name="a"} 1\n',
        b'kubetune_trial_step 1\nkubetune_trial_metric{name="a} 1\n',
        b"kubetune_trial_step 1\nkubetune_trial_metric 1\n",
        b'kubetune_trial_step 1\nkubetune_trial_metric{name="no such"} 1\n',
        b'kubetune_trial_step 1\nkubetune_trial_metric{name="' + b"x" * 64 + b'"} 1\n',
    ],
)
def test_without_a_whole_point_there_is_none(text: bytes) -> None:
    """A point needs a step from 0 and a metric with a legal name."""
    assert parse(text).points == ()


@pytest.mark.parametrize(("shown", "read"), [("7", 1.0), ("-1", 0.0), ("NaN", 0.0), ("+Inf", 0.0)])
def test_progress_stays_between_none_and_all(shown: str, read: float) -> None:
    """Progress outside 0..1 is not believed."""
    assert parse(f"kubetune_trial_progress_ratio {shown}\n".encode()).progress == read


def test_too_many_metrics_are_left_out() -> None:
    """A trial that shows thousands of metrics costs no more than one with a hundred."""
    lines = "".join(f'kubetune_trial_metric{{name="m{index}"}} 1\n' for index in range(5000))
    (point,) = parse(f"kubetune_trial_step 1\n{lines}".encode()).points
    assert len(point.metrics) == METRIC_LIMIT


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_no_bytes_raise(head: bytes, tail: bytes) -> None:
    """Whatever the bytes are, the answer is a reading."""
    assert isinstance(parse(head + b"\nkubetune_trial_" + tail), Reading)


def test_a_metric_reported_seldom_keeps_its_own_step():
    """An old value beside a newer step is no new point of its curve."""
    body = b"""kubetune_trial_step 7
kubetune_trial_metric{name="train_loss"} 0.2
kubetune_trial_metric_step{name="train_loss"} 7
kubetune_trial_metric{name="eval_loss"} 0.5
kubetune_trial_metric_step{name="eval_loss"} 4
"""
    assert parse(body).points == (Point(4, {"eval_loss": 0.5}), Point(7, {"train_loss": 0.2}))
