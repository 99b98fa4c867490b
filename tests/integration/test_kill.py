"""Kill -9 at every stage of a run, one stage after the other: nothing is lost, nothing doubled."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubetune.domain.trial import Trial, TrialState
from tests.integration.tuner import Workplace

pytestmark = pytest.mark.timeout(600)

TRIALS = 8

Moment = Callable[[Workplace], bool]

MOMENTS: dict[str, Moment] = {
    "at once": lambda _: True,
    "a folder": lambda place: place.run_folder.exists(),
    "an identity": lambda place: (place.run_folder / "study.json").exists(),
    "a database": lambda place: (place.run_folder / "trials.sqlite3").exists(),
    "a trial drawn": lambda place: len(place.trials()) > 0,
    "a journal": lambda place: any(place.run_folder.glob("live/*.jsonl")),
    "a process": lambda place: place.ledger("begun").total() > 0,
    "a result": lambda place: place.ledger("done").total() > 0,
    "a result stored": lambda place: ended(place) > 0,
    "another result": lambda place: place.ledger("done").total() > 2,
    "a journal put away": lambda place: len(retired(place)) > 2,
    "half the results": lambda place: place.ledger("done").total() >= TRIALS // 2,
    "most stored": lambda place: ended(place) >= TRIALS - 2,
    "the last process": lambda place: len(place.ledger("begun")) == TRIALS,
    "the last result": lambda place: len(place.ledger("done")) == TRIALS,
    "all stored": lambda place: ended(place) == TRIALS,
    "results written": lambda place: (place.run_folder / "results.json").exists(),
}
"""What is there when the tuner is killed, in the order in which a run comes to it."""


def ended(place: Workplace) -> int:
    return sum(trial.state.ended for trial in place.trials())


def retired(place: Workplace) -> list[Path]:
    return list(place.run_folder.glob("trials/*/attempt-*.jsonl"))


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Workplace]:
    place = Workplace(tmp_path)
    yield place
    place.kill_trials()


@pytest.mark.parametrize("with_trials", [False, True], ids=["tuner", "tuner-and-trials"])
def test_killed_at_every_stage(workplace: Workplace, *, with_trials: bool) -> None:
    """After each kill all that had ended is as it was; in the end every trial ended once."""
    policy = {"max": TRIALS, "parallelism": 2, "retries": {"disruption": 100}}
    workplace.write(seconds=0.2, trials=policy)
    known: dict[int, Trial] = {}
    for name, moment in MOMENTS.items():
        with workplace.running() as tuner:
            workplace.until(lambda: tuner.ended or moment(workplace))  # noqa: B023 - called at once
            tuner.kill()
        if with_trials:
            workplace.kill_trials()
        stored = {trial.number: trial for trial in workplace.trials() if trial.state.ended}
        assert {number: stored.get(number) for number in known} == known, f"killed at: {name}"
        known = stored

    done = workplace.run()
    assert done.returncode == 0, done.stderr
    trials = workplace.trials()
    assert [trial.number for trial in trials] == list(range(TRIALS))
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    assert workplace.ledger("done") == dict.fromkeys(range(TRIALS), 1)
    assert not workplace.ledger("doubled")
    assert not workplace.processes()
    results = json.loads((workplace.run_folder / "results.json").read_text())
    assert [trial["number"] for trial in results["trials"]] == list(range(TRIALS))
