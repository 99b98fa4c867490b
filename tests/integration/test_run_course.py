"""More later: a study with phases and finals that is stopped, changed and enlarged between runs."""

import json
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import Stage, Trial, TrialState
from tests.integration.tuner import Workplace

FINALS = {"top": 1, "seeds": [1, 2], "heldOutMetric": "test_score"}


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Workplace]:
    place = Workplace(tmp_path)
    yield place
    place.kill_trials()


def results(place: Workplace) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((place.run_folder / "results.json").read_text())
    return found


def repeats(trials: tuple[Trial, ...]) -> Counter[tuple[int | None, Stage, int]]:
    """How often each run of the finals was made."""
    runs = (trial for trial in trials if trial.repeats is not None)
    return Counter((trial.repeats, trial.stage, trial.seed) for trial in runs)


def test_more_trials_go_on_with_the_last_phase_and_hold_the_finals_again(
    workplace: Workplace,
) -> None:
    """All there was stays; who leads now is run with every seed; held-out data stay closed."""
    phases = [{"name": "coarse", "trials": 2}, {"name": "rest", "when": "trials.total > 1"}]
    workplace.write(phases=phases, finalists=FINALS, sampler={"algorithm": "Random", "seed": 5})
    assert workplace.run("--trials", "3").returncode == 0
    before = workplace.trials()
    first = results(workplace)["best"]["number"]
    done = workplace.run("--trials", "12", "--parallelism", "3")
    assert done.returncode == 0, done.stderr
    trials = workplace.trials()
    assert trials[: len(before)] == before
    search = [trial for trial in trials if trial.stage is Stage.SEARCH]
    assert [trial.phase for trial in search] == ["coarse"] * 2 + ["rest"] * 10
    best = results(workplace)["best"]["number"]
    assert best != first
    assert repeats(trials) == Counter(
        [(number, Stage.FINALIST, seed) for number in (first, best) for seed in (1, 2)]
        + [(first, Stage.HELD_OUT, 1)]
    )
    assert f"opened for trial {first}, which led before" in " ".join(done.stdout.split())
    assert f"not opened again for trial {best}" in (workplace.run_folder / "REPORT.md").read_text()
    assert results(workplace)["evidence"] == "Finalists"
    assert workplace.ledger("done") == dict.fromkeys(range(len(trials)), 1)


def test_phases_that_all_say_how_many_ask_for_no_more(workplace: Workplace) -> None:
    """`--trials` alone brings nothing: the end says where to write it."""
    phases: list[dict[str, Any]] = [{"name": "coarse", "trials": 2}]
    workplace.write(phases=phases)
    workplace.run()
    done = workplace.run("--trials", "9")
    said = " ".join(done.stdout.split())
    assert "all that the phases ask for: for more, raise the trials of the last phase" in said
    assert len(workplace.trials()) == 2
    phases[0]["trials"] = 3
    phases.append({"name": "more", "trials": 1, "narrow": {"aroundTop": 1, "shrink": 0.5}})
    workplace.write(phases=phases)
    assert workplace.run().returncode == 0
    assert [trial.phase for trial in workplace.trials()] == ["coarse"] * 3 + ["more"]


def test_finals_that_were_interrupted_and_suspended_go_on(workplace: Workplace) -> None:
    """Their runs save and stop, nothing is launched while suspended; then they go on from there."""
    study: dict[str, Any] = {
        "trials": {"max": 1, "parallelism": 1},
        "finalists": {**FINALS, "seeds": [1, 2, 3]},
    }
    workplace.write(seconds=3, **study)
    with workplace.running("--parallelism", "2") as tuner:
        workplace.until(lambda: len(workplace.ledger("begun")) == 3)
        tuner.send(signal.SIGINT)
        assert tuner.end()[0] == 130
    assert workplace.ledger("stopped") == {1: 1, 2: 1}
    assert [trial.state for trial in workplace.trials()[1:]] == [TrialState.RUNNING] * 2

    workplace.write(seconds=0, **study, suspend=True)
    assert workplace.run().returncode == 0
    assert workplace.ledger("begun").total() == 3

    workplace.write(seconds=0, **study)
    assert workplace.run().returncode == 0
    trials = workplace.trials()
    assert workplace.ledger("resumed") == {1: 1, 2: 1}
    assert workplace.ledger("done") == dict.fromkeys(range(5), 1)
    assert [trial.disruptions for trial in trials] == [0] * 5
    assert [(trial.stage, trial.seed) for trial in trials[1:]] == [
        *((Stage.FINALIST, seed) for seed in (1, 2, 3)),
        (Stage.HELD_OUT, 1),
    ]
    assert results(workplace)["evidence"] == "HeldOut"


def test_guards_that_were_changed_hold_for_what_comes(workplace: Workplace) -> None:
    """What had ended stays as it was."""
    result = '{"schema":1,"state":"Complete","curve":[[1,0.5]],"metrics":{"score":0.5}}'
    trial = ["sh", "-c", f"echo '{result}' > $KUBETUNE_TERMINATION_LOG"]
    workplace.write(command=trial)
    workplace.run("--trials", "2")
    before = workplace.trials()
    guard = {"name": "low", "when": "metrics.score < 2.0", "outcome": "Failed"}
    workplace.write(command=trial, guards=[guard])
    workplace.run("--trials", "4")
    trials = workplace.trials()
    assert trials[:2] == before
    assert [trial.outcome and trial.outcome.reason for trial in trials[2:]] == [
        TrialReason.GUARD_TRIPPED
    ] * 2
