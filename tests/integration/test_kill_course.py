"""Kill -9 in every phase, in the finals and on held-out data: the course ends as it would have."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from kubetune.domain.trial import Stage, Trial, TrialState
from tests.integration.tuner import Workplace

COARSE, FINE, RUNS = 4, 4, 4
SEARCH = COARSE + FINE
TRIALS = SEARCH + RUNS + 1

STUDY: dict[str, Any] = {
    "parameters": [
        {"name": "x", "type": "Double", "min": 0, "max": 1},
        {"name": "width", "type": "Integer", "min": 8, "max": 64, "step": 8},
    ],
    "outcomes": [{"name": "fair", "when": "state == 'Complete' && metrics.score > 0.2"}],
    "phases": [
        {"name": "coarse", "trials": COARSE, "gate": {"require": "outcomes.fair >= 1"}},
        {"name": "wider", "trials": 3, "when": "outcomes.fair == 0"},
        {
            "name": "fine",
            "trials": FINE,
            "narrow": {"aroundTop": 2, "shrink": 0.5},
            "sampler": {"algorithm": "TPE", "seed": 3, "startupTrials": 3},
        },
    ],
    "finalists": {"top": 2, "seeds": [1, 2], "heldOutMetric": "test_score"},
}

pytestmark = pytest.mark.timeout(600)

Moment = Callable[[Workplace], bool]


def begun(count: int) -> Moment:
    """So many trials have begun: the last of them runs."""
    return lambda place: len(place.ledger("begun")) >= count


def done(count: int) -> Moment:
    """So many trials have written a result, which the tuner may not have read."""
    return lambda place: place.ledger("done").total() >= count


def stored(count: int) -> Moment:
    """So many results are in the database."""
    return lambda place: len(ended(place)) >= count


MOMENTS: dict[str, Moment] = {
    "in the first phase": begun(2),
    "at the gate": stored(COARSE),
    "in the narrowed phase": done(COARSE + 2),
    "the search is over": stored(SEARCH),
    "a finalist runs": begun(SEARCH + 1),
    "a finalist's result": done(SEARCH + 2),
    "the finals are over": stored(SEARCH + RUNS),
    "held-out data are open": begun(TRIALS),
    "their result": done(TRIALS),
    "all is stored": stored(TRIALS),
}
"""What is there when the tuner is killed, in the order in which a course comes to it."""


def ended(place: Workplace) -> dict[int, Trial]:
    return {trial.number: trial for trial in place.trials() if trial.state.ended}


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Workplace]:
    place = Workplace(tmp_path)
    yield place
    place.kill_trials()


def swept(place: Workplace, parallelism: int, *, with_trials: bool) -> None:
    """A run that is killed at every moment, the last one not."""
    place.write(seconds=0.1, **STUDY, trials=policy(parallelism))
    known: dict[int, Trial] = {}
    for name, moment in MOMENTS.items():
        with place.running() as tuner:
            place.until(lambda: tuner.ended or moment(place))  # noqa: B023 - called at once
            tuner.kill()
        if with_trials:
            place.kill_trials()
        now = ended(place)
        assert {number: now.get(number) for number in known} == known, f"killed at: {name}"
        known = now
    end = place.run()
    assert end.returncode == 0, end.stderr


def policy(parallelism: int) -> dict[str, Any]:
    return {"max": 20, "parallelism": parallelism, "retries": {"disruption": 100}}


def shown(place: Workplace) -> dict[str, Any]:
    """All that must not depend on kills: trials, what the report says of them, what to retrain."""
    results: dict[str, Any] = json.loads((place.run_folder / "results.json").read_text())
    kept = ("number", "state", "parameters", "values", "metrics", "seed", "stage")
    trials = [{name: each[name] for name in kept} for each in results.pop("trials")]
    results.pop("time")
    results.pop("advice")  # some of it is about time
    configuration = (place.run_folder / "best_config.yaml").read_text()
    return {**results, "trials": trials, "configuration": configuration}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """A run of the same study that nobody killed."""
    place = Workplace(tmp_path_factory.mktemp("unbroken"))
    place.write(**STUDY, trials=policy(1))
    assert place.run().returncode == 0
    return place


@pytest.mark.parametrize("with_trials", [False, True], ids=["tuner", "tuner-and-trials"])
def test_a_course_that_was_killed_ends_as_one_that_was_not(
    workplace: Workplace, unbroken: Workplace, *, with_trials: bool
) -> None:
    """One at a time, each draw sees the same history: trials, winner and figures are equal."""
    swept(workplace, 1, with_trials=with_trials)
    expected, found = shown(unbroken), shown(workplace)
    assert {name: found[name] for name in expected if found[name] != expected[name]} == {}
    assert (found["evidence"], found["reason"]) == ("HeldOut", "TrialsExhausted")
    assert workplace.ledger("done") == dict.fromkeys(range(TRIALS), 1)
    assert not workplace.ledger("doubled")


def test_trials_of_a_course_are_neither_lost_nor_doubled(workplace: Workplace) -> None:
    """Two at once: which ones depends on who is first, that each is there once does not."""
    swept(workplace, 2, with_trials=True)
    trials = workplace.trials()
    assert [trial.number for trial in trials] == list(range(TRIALS))
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    assert [trial.phase for trial in trials[:SEARCH]] == ["coarse"] * COARSE + ["fine"] * FINE
    runs = Counter((trial.repeats, trial.stage, trial.seed) for trial in trials[SEARCH:])
    assert set(runs.values()) == {1}
    assert sum(stage is Stage.HELD_OUT for _, stage, _ in runs) == 1
    assert workplace.ledger("done") == dict.fromkeys(range(TRIALS), 1)
    assert not workplace.ledger("doubled")
    assert not workplace.processes()
