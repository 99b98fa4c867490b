"""Trials that do harm beside good ones: each ends with its own reason, and nothing else suffers."""

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubetune.domain.trial import TrialState
from tests.integration.tuner import Workplace

PROGRAM = Path(__file__).parents[1] / "programs" / "hostile.py"
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]")
LOG_LIMIT = 32 * 2**20
"""In bytes; the trial that floods prints 64 MiB."""

ENDS = {
    "good-0": "Complete",
    "garbage": "Failed BadReport",
    "long": "Failed BadReport",
    "binary": "Failed BadReport",
    "null-bytes": "Failed BadReport",
    "nan": "Failed Diverged",
    "bare-nan": "Failed BadReport",
    "another-trial": "Failed BadReport",
    "good-1": "Complete",
    "sql": "Failed Crashed",
    "promql": "Failed BadReport",
    "markup": "Failed Crashed",
    "escapes": "Failed Crashed",
    "nothing": "Failed MetricsMissing",
    "no-score": "Failed MetricsMissing",
    "folder-as-result": "Failed MetricsMissing",
    "link-as-result": "Failed MetricsMissing",
    "pipe-as-result": "Failed MetricsMissing",
    "good-2": "Complete",
    "flood": "Complete",
    "daemon": "Complete",
    "hang": "Failed TimedOut",
    "killed": "Failed Disrupted",
    "vandal": "Failed MetricsMissing",
    "good-3": "Complete",
}
"""How each kind of trial has to end."""


class Finished:
    """The one study that all tests of this file look at."""

    def __init__(self, place: Workplace) -> None:
        self.place = place
        kinds = list(ENDS)
        container = {"name": "trainer", "command": [sys.executable, "-I", str(PROGRAM)]}
        place.write(
            parameters=[{"name": "kind", "type": "Categorical", "values": kinds}],
            initialTrials=[{"name": kind, "parameters": {"kind": kind}} for kind in kinds],
            trials={
                "max": len(kinds),
                "parallelism": 3,
                "timeoutSeconds": 4,
                "retries": {"disruption": 0},
            },
            trialTemplate={"spec": {"terminationGracePeriodSeconds": 1, "containers": [container]}},
        )
        self.done = place.run()
        self.left = place.processes()
        self.trials = {str(trial.parameters["kind"]): trial for trial in place.trials()}

    def said(self, name: str) -> str:
        """A file of the report."""
        return (self.place.run_folder / name).read_text()


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Finished]:
    place = Workplace(tmp_path_factory.mktemp("hostile"))
    yield Finished(place)
    place.kill_trials()


def test_each_trial_ends_with_its_own_reason(finished: Finished) -> None:
    """Good trials complete beside bad ones, and every bad one says what was wrong with it."""
    ends = {
        kind: f"{trial.state} {trial.outcome.reason}".strip()
        for kind, trial in finished.trials.items()
        if trial.outcome
    }
    assert ends == ENDS
    assert finished.done.returncode == 0


def test_every_failure_has_a_sentence(finished: Finished) -> None:
    """A reason for programs is not enough for people."""
    failed = [trial for trial in finished.trials.values() if trial.state is TrialState.FAILED]
    assert not [trial.number for trial in failed if not trial.outcome or not trial.outcome.message]


def test_the_output_holds_no_control_characters(finished: Finished) -> None:
    """No trial steers the terminal, turns text around, or writes lines of its own."""
    assert not CONTROL.search(finished.done.stdout + finished.done.stderr)
    assert not re.search("^12:00:00 trial 0 won", finished.done.stdout, re.MULTILINE)


def test_the_results_are_json(finished: Finished) -> None:
    """results.json is read by strict readers, with every trial in it."""

    def refuse(word: str) -> None:
        raise ValueError(f"{word} is no JSON")

    results = json.loads(finished.said("results.json"), parse_constant=refuse)
    assert [trial["parameters"]["kind"] for trial in results["trials"]] == list(ENDS)


def test_the_report_holds_no_markup_of_a_trial(finished: Finished) -> None:
    """REPORT.md shows what a trial said as text: no tag, no control character."""
    report = finished.said("REPORT.md")
    assert "<script>" not in report
    assert not CONTROL.search(report)


def test_nothing_is_left_running(finished: Finished) -> None:
    """Neither a daemon that left its session nor a trial that ignores SIGTERM outlives a study."""
    assert not finished.left


def test_a_flood_does_not_fill_the_disk(finished: Finished) -> None:
    """Of what a trial prints, the log keeps the beginning and the end."""
    flood = finished.trials["flood"].number
    log = finished.place.run_folder / "trials" / str(flood) / "stdout.log"
    assert log.stat().st_size < LOG_LIMIT


def test_what_a_trial_says_runs_nowhere(finished: Finished) -> None:
    """A message with SQL in it is stored as it was said."""
    outcome = finished.trials["sql"].outcome
    assert outcome
    assert "DROP TABLE trials" in outcome.message
