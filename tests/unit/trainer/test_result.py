"""A trial's last word."""

import json
import os
from math import inf, nan
from pathlib import Path

import pytest

from kubetune.domain.result import TrialResult, parse
from kubetune_trainer.result import MAX_BYTES, Result, encode, write

GOLDEN = (
    b'{"schema":1,"trial":7,"state":"Failed","reason":"Crashed","message":"ValueError: no",'
    b'"step":3,"metrics":{"accuracy":"NaN","loss":"Infinity","floor":"-Infinity","seconds":0.25},'
    b'"curve":[[1,0.5],[2,0.75],[3,"NaN"]]}'
)
RESULT = Result(
    trial=7,
    state="Failed",
    reason="Crashed",
    message="ValueError: no",
    step=3,
    metrics={"accuracy": nan, "loss": inf, "floor": -inf, "seconds": 0.25},
    curve=((1, 0.5), (2, 0.75), (3, nan)),
    objectives=("accuracy",),
)


def test_golden_result():
    """The result is this JSON, byte for byte."""
    assert encode(RESULT) == GOLDEN


def test_the_study_reads_it():
    """The study's own reader takes the result as it was meant."""
    read = parse(encode(RESULT), 7)
    assert isinstance(read, TrialResult)
    assert (read.state, read.reason, read.message, read.step) == (
        "Failed",
        "Crashed",
        "ValueError: no",
        3,
    )
    assert read.metrics == pytest.approx(RESULT.metrics, nan_ok=True)
    assert read.curve[:2] == ((1, 0.5), (2, 0.75))


def test_without_a_trial_number():
    """A trial that could not read its order claims no number."""
    assert "trial" not in json.loads(encode(Result(trial=None, state="Failed")))


LONG_CURVE = tuple((step + 0.123456789, 1 / (step + 3)) for step in range(64))
MANY_METRICS = {f"metric_{index:02d}_{'x' * 50}": 1 / (index + 3) for index in range(100)}


@pytest.mark.parametrize(
    "result",
    [
        Result(trial=1, state="Failed", message="x" * 10_000),
        Result(trial=1, state="Failed", message="\u00fc\N{EARTH GLOBE EUROPE-AFRICA}" * 5_000),
        Result(trial=1, state="Failed", message="\x00" * 10_000),
        Result(trial=1, state="Complete", curve=LONG_CURVE, metrics=MANY_METRICS),
        Result(
            trial=1,
            state="Failed",
            message='"' * 10_000,
            curve=LONG_CURVE,
            metrics=MANY_METRICS,
            objectives=tuple(MANY_METRICS),
        ),
    ],
)
def test_oversize_is_cut_to_fit(result):
    """Whatever there is to say, the study can read it: 4,096 bytes of JSON with the state."""
    data = encode(result)
    assert len(data) <= MAX_BYTES
    read = parse(data, 1)
    assert isinstance(read, TrialResult)
    assert read.state == result.state


def test_objectives_outlive_other_metrics():
    """What must be left out is never an objective while other metrics are there."""
    metrics = {**MANY_METRICS, "accuracy": 0.5}
    data = json.loads(
        encode(Result(trial=1, state="Complete", metrics=metrics, objectives=("accuracy",)))
    )
    assert data["metrics"]["accuracy"] == 0.5
    assert len(data["metrics"]) < len(metrics)


def test_curve_thins_before_metrics_go():
    """A curve that is too long loses points before a metric is lost, and never its best."""
    metrics = dict(list(MANY_METRICS.items())[:25])
    curve = (*LONG_CURVE[:31], (31.5, 7.0), *LONG_CURVE[32:])
    data = json.loads(encode(Result(trial=1, state="Complete", metrics=metrics, curve=curve)))
    assert len(data["metrics"]) == 25
    assert len(data["curve"]) < 64
    assert [31.5, 7.0] in data["curve"]


def test_message_that_is_no_text():
    """Half a surrogate pair in a message does not cost the result."""
    assert json.loads(encode(Result(trial=1, state="Failed", message="a\ud800b")))["message"] == (
        "a?b"
    )


def test_written_whole(tmp_path):
    """The file is replaced as one, and nothing else is left in its folder."""
    path = tmp_path / "termination-log"
    path.write_text("older and longer " * 1000)
    write(RESULT, path)
    assert path.read_bytes() == GOLDEN
    assert list(tmp_path.iterdir()) == [path]


def test_written_where_no_file_can_be_renamed():
    """A termination log that is a mount of its own is written in place."""
    reader, writer = os.pipe()
    with open(reader, "rb") as end:  # noqa: PTH123 - a descriptor has no path
        write(RESULT, Path(f"/dev/fd/{writer}"))
        os.close(writer)
        assert end.read() == GOLDEN
