"""Trials read back out of a results.json."""

import gzip
import json
from dataclasses import replace

import pytest

from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import Outcome, Point, Stage, TrialState
from kubetune.report.findings import gather
from kubetune.report.results import results
from kubetune.report.stored import unpack
from tests.unit.report import made

NAN = float("nan")


def packed(*trials, **changes):
    return gzip.compress(results(made.findings(*trials, **changes)).encode())


def test_a_trial_is_read_as_it_was():
    """Whatever is known of it: a report made anew says the same."""
    infeasible = Outcome(TrialState.INFEASIBLE, TrialReason.NONE, "", (0.5,), (1.5, -2.0))
    trials = (
        *made.trials(),
        made.trial(12, outcome=infeasible),
        made.trial(13, phase="fine", stage=Stage.FINALIST, repeats=10, disruptions=2),
        made.trial(14, out_of_memory=1, attempt=3, started_at=5.0),
    )
    found = unpack(packed(*trials))
    assert (found.name, found.objectives[0][0]) == ("made", "accuracy")
    for read, told in zip(found.trials, trials, strict=True):
        assert read.active == told.active
        none = frozenset[str]()  # a set has no order to compare, and NaN is not equal to itself
        assert repr(replace(read, active=none)) == repr(replace(told, active=none))
    assert results(gather(made.study(), found.trials, None)) == results(made.findings(*trials))


def test_numbers_that_json_cannot_write_are_numbers_again():
    """They are words in the file."""
    metrics = {"a": NAN, "b": float("inf"), "c": float("-inf")}
    (found,) = unpack(packed(made.trial(0, curve=(Point(1, metrics),)))).trials
    assert repr(found.curve[0].metrics) == repr(metrics)


def test_several_objectives_keep_their_order():
    """Values are by metric in the file, and by place in a trial."""
    (found,) = unpack(packed(made.pair(0, 0.9, 12.0), objectives=made.TWO)).trials
    assert found.outcome.values == (0.9, 12.0)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not what|not compressed|Expecting"),
        (b"plain", "not compressed"),
        (gzip.compress(b"{}")[:-4], "not compressed"),
        (gzip.compress(b"words"), "Expecting value"),
        (gzip.compress(b"[]"), "not what kubetune writes"),
        (gzip.compress(b'{"schema": 2}'), "its schema is 2, this kubetune reads 1"),
        (gzip.compress(b'{"schema": 1, "study": "a", "objectives": 5}'), "not what kubetune"),
        (gzip.compress(b"[" * 100_000), "not what kubetune writes"),
        (gzip.compress(b" " * (2**26 + 1)), "longer than"),
    ],
    ids=range(9),
)
def test_what_is_none_is_refused_in_words(content, words):
    """Who may write ConfigMaps may write anything there."""
    with pytest.raises(ValueError, match=words):
        unpack(content)


def test_a_trial_of_another_kind_is_refused():
    """A state that this kubetune does not know is no state of its."""
    data = json.loads(results(made.findings(made.trial(0, 0.5))))
    data["trials"][0]["state"] = "Paused"
    with pytest.raises(ValueError, match="Paused"):
        unpack(gzip.compress(json.dumps(data).encode()))
