"""A trial's attributes hold all of it, in bounded portions."""

from dataclasses import replace

import pytest

from kubetune.adapters.optuna import records
from kubetune.adapters.optuna.records import CHUNK, Record
from tests.builders import make_points, make_trial


def test_refuses_a_trial_of_another_program() -> None:
    """A trial without our attribute is none of ours."""
    with pytest.raises(KeyError):
        records.read_record(0, 1, {})


def test_reads_back_what_the_sampler_noted() -> None:
    """Coordinates, used-up proposals and the sampler's notes survive."""
    record = Record(
        trial=make_trial(3, rejected={"rule": 2}, seed=7),
        row=9,
        point={"x": 0.1 + 0.2, "n": 3},
        drawn={"x": 0.5},
        proposals=4,
        memory={"trial": {"generation": 2}, "study": {"parents": [1, 2]}},
    )
    attributes = {records.DRAWN: records.drawn_attribute(record)}
    assert records.read_record(3, 9, attributes) == record


def test_writes_a_bounded_part_of_a_long_curve() -> None:
    """One more point of a long curve rewrites the last chunk alone."""
    arrived = make_points(*range(3 * CHUNK + 5))
    chunks = list(records.curve_attributes(arrived, 1))
    assert [(index, new) for index, _, new in chunks] == [(3, False)]
    assert len(chunks[0][1]) < 40 * CHUNK


@pytest.mark.parametrize("count", [1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK])
def test_chunks_hold_the_whole_curve(count: int) -> None:
    """Whatever the portions, the chunks together are the curve in order of arrival."""
    points = make_points(*range(4 * CHUNK + 3))
    record = Record(trial=make_trial(), drawn={"x": 0.5})
    attributes = {records.DRAWN: records.drawn_attribute(record)}
    for end in range(count, len(points) + count, count):
        arrived = points[:end]
        fresh = len(arrived) - min(end - count, len(points))
        for index, text, new in records.curve_attributes(arrived, fresh):
            assert new == (f"{records.CURVE}{index}" not in attributes)
            attributes[f"{records.CURVE}{index}"] = text
    expected = replace(record.trial, curve=points)
    assert records.read_record(0, -1, attributes).trial == expected
