"""results.json: valid JSON that has everything."""

import json
import re
from pathlib import Path

import pytest

from kubetune.domain.trial import Point
from kubetune.report.results import brief, results
from tests.unit.report import made

DOCUMENT = Path(__file__).parents[3] / "docs" / "reference" / "results.md"


def refuse(word):
    raise AssertionError(word)


def read(*trials, **changes):
    """The file as a strict reader sees it: NaN and Infinity are no JSON."""
    return json.loads(results(made.findings(*trials, **changes)), parse_constant=refuse)


def test_the_study_s_own_fields():
    """Counts, rejected draws, classes, best and baseline come first."""
    data = read(*made.trials())
    assert (data["schema"], data["study"], data["ended"]) == (1, "made", True)
    assert data["counts"]["complete"] == 6
    assert data["rejectedDraws"] == {"rarely-narrow": 2, "no-fast-heavy": 1}
    assert data["outcomes"] == {"usable": 5}
    assert (data["best"]["number"], data["best"]["values"]) == (10, {"accuracy": 0.9612})
    assert data["baseline"]["number"] == 0
    assert data["improvement"] == pytest.approx(0.1867, abs=1e-4)


def test_every_trial_is_there_whole():
    """A line for each trial, with all that is known of it."""
    data = read(*made.trials())
    assert [trial["number"] for trial in data["trials"]] == list(range(12))
    assert data["trials"][5].keys() == {
        *("number", "state", "reason", "message", "parameters", "active", "values", "metrics"),
        *("attempts", "seconds", "curve", "seed", "initial", "baseline", "rejected"),
        *("constraints", "marks", "stage", "phase", "repeats", "classes", "disruptions"),
        *("outOfMemory", "createdAt", "startedAt", "endedAt"),
    }
    assert data["trials"][3]["curve"][1] == {"step": 2, "metrics": {"accuracy": 0.5}}


def test_numbers_that_json_cannot_write_are_words():
    """Diverged trials do not make the file unreadable."""
    metrics = {"a": float("nan"), "b": float("inf"), "c": float("-inf")}
    data = read(made.trial(0, curve=(Point(1, metrics),)))
    assert data["trials"][0]["curve"][0]["metrics"] == {
        "a": "NaN",
        "b": "Infinity",
        "c": "-Infinity",
    }


def test_marks_have_their_figures():
    """How a trial went wrong by its curves, from which step, and a sentence; else nothing."""
    shown = read(made.overfitted(0), made.trial(1, 0.5))["trials"]
    assert shown[0]["marks"] == [
        {
            "mark": "Overfitting",
            "step": 3,
            "message": "accuracy was best at step 3 with 0.9 and ended at 0.7,"
            " while loss fell from 0.6 to 0.2",
        }
    ]
    assert shown[1]["marks"] == []


def test_hostile_text_is_only_text():
    """A trial's words come back as they were."""
    assert "\x1b[31m" in read(*made.trials())["trials"][4]["message"]
    assert "\x1b" not in results(made.findings(*made.trials()))


def test_no_trials():
    """A study that has not begun is a valid file."""
    data = read()
    assert (data["trials"], data["best"], data["ended"]) == ([], None, False)


def test_the_pareto_front_by_number():
    """With several objectives the front is listed, its first is the best."""
    data = read(made.pair(0, 0.8, 10.0), made.pair(1, 0.9, 30.0), objectives=made.TWO)
    assert (data["paretoFront"], data["best"]["number"]) == ([1, 0], 1)


def test_a_trial_for_programs_has_the_promised_fields():
    """`kubetune trials --format json` shows these fields and no others."""
    running = brief(made.study(), made.trial(0))
    assert list(running) == [
        *("number", "state", "reason", "marks", "parameters", "values", "metrics", "attempts"),
        "seconds",
    ]
    assert (running["values"], running["seconds"]) == ({}, None)


def test_every_field_is_written_down():
    """docs/reference/results.md names each field of the study and of a trial."""
    known = set(re.findall(r"`([A-Za-z]+)`", DOCUMENT.read_text(encoding="utf-8")))
    data = read(*made.trials())
    nested = [data, data["trials"][0], data["best"], data["time"], data["stability"][0]]
    nested += [data["importance"][0], data["importance"][0]["parameters"][0]]
    nested += [data["importance"][0]["pairs"][0], data["counts"], data["objectives"][0]]
    assert {name for part in nested for name in part} - known == set()
