"""Interrupted, killed and extended: no finished trial is lost, and none is run twice."""

import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubetune.domain.trial import Trial, TrialState
from tests.integration.tuner import Workplace

TRIALS = 6


@pytest.fixture
def workplace(tmp_path: Path) -> Iterator[Workplace]:
    place = Workplace(tmp_path)
    yield place
    place.kill_trials()


def test_more_trials_go_on_where_the_study_ended(workplace: Workplace) -> None:
    """`--trials` raises the budget of a finished study; what it had stays as it was."""
    workplace.write()
    workplace.run()
    before = workplace.trials()
    done = workplace.run("--trials", "6")
    assert done.returncode == 0
    assert workplace.trials()[:4] == before
    assert len(workplace.trials()) == 6
    assert workplace.ledger("done") == dict.fromkeys(range(6), 1)


def test_a_finished_study_run_again_does_nothing(workplace: Workplace) -> None:
    """The same command after the end launches nothing and says again how it ended."""
    workplace.write()
    workplace.run()
    before = workplace.trials()
    done = workplace.run()
    assert done.returncode == 0
    assert "launched" not in done.stdout
    assert workplace.trials() == before


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_stopped_run_goes_on(workplace: Workplace, number: signal.Signals, code: int) -> None:
    """One signal: trials save and stop, the run says how to go on; it resumes from checkpoints."""
    workplace.write(seconds=4)
    with workplace.running() as tuner:
        workplace.until(lambda: len(workplace.ledger("begun")) == 2)
        tuner.send(number)
        ended, said = tuner.end()
    assert ended == code
    assert not workplace.processes()
    assert "press Ctrl-C again" in said
    assert f"kubetune run {workplace.manifest} -o {workplace.run_folder} --no-plots\n" in said
    assert workplace.ledger("stopped") == {0: 1, 1: 1}
    assert [trial.state for trial in workplace.trials()] == [TrialState.RUNNING] * 2
    assert (workplace.run_folder / "REPORT.md").exists()

    workplace.write(seconds=0.1)
    assert workplace.run().returncode == 0
    assert workplace.ledger("resumed") == {0: 1, 1: 1}
    assert workplace.ledger("done") == dict.fromkeys(range(4), 1)
    assert not workplace.ledger("doubled")
    assert [trial.state for trial in workplace.trials()] == [TrialState.COMPLETE] * 4
    assert [trial.disruptions for trial in workplace.trials()] == [0] * 4


def test_a_second_signal_does_not_wait(workplace: Workplace) -> None:
    """Ctrl-C twice kills trials that do not listen, long before their grace period is over."""
    deaf = f'trap "" TERM; echo begun 0 1 >> {workplace.manifest.parent}/ledger; '
    workplace.write(command=["sh", "-c", deaf + "while :; do sleep 0.1; done"])
    with workplace.running() as tuner:
        workplace.until(lambda: workplace.ledger("begun").total() == 2)
        tuner.send(signal.SIGINT)
        tuner.hear("press Ctrl-C again")
        tuner.send(signal.SIGINT)
        assert tuner.end()[0] == 130
        assert not workplace.processes()


def test_the_answer_of_a_trial_that_outlived_its_tuner_counts(workplace: Workplace) -> None:
    """Trials go on when their tuner is killed; the next one takes their results."""
    workplace.write(seconds=0.5)
    with workplace.running() as tuner:
        workplace.until(lambda: len(workplace.ledger("begun")) == 2)
        tuner.kill()
        workplace.until(lambda: len(workplace.ledger("done")) == 2)
        assert workplace.run().returncode == 0
    assert workplace.ledger("begun") == dict.fromkeys(range(4), 1)
    assert [trial.attempt for trial in workplace.trials()] == [1] * 4


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_killed_at_any_moment(workplace: Workplace, seed: int) -> None:
    """Kill -9 of tuner and trials, again and again: nothing is lost, doubled or out of order."""
    chance = random.Random(seed)
    workplace.write(
        seconds=0.3, trials={"max": TRIALS, "parallelism": 2, "retries": {"disruption": 100}}
    )
    ended: dict[int, Trial] = {}
    for _ in range(6):
        begun = workplace.ledger("begun").total()
        with workplace.running() as tuner:
            if chance.random() < 0.7:
                workplace.until(lambda: tuner.ended or workplace.ledger("begun").total() > begun)  # noqa: B023 - called at once
            time.sleep(chance.uniform(0.0, 0.4))
            tuner.kill()
            if chance.random() < 0.5:
                workplace.kill_trials()
            _nothing_lost(ended, workplace.trials())
    assert workplace.run().returncode == 0
    trials = workplace.trials()
    _nothing_lost(ended, trials)
    assert [trial.number for trial in trials] == list(range(TRIALS))
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}
    assert not workplace.ledger("doubled")
    assert max(workplace.ledger("done").values()) == 1
    values = [trial.value for trial in trials]
    assert values == [trial.parameters["x"] for trial in trials]
    assert len(set(values)) == TRIALS


def _nothing_lost(ended: dict[int, Trial], trials: tuple[Trial, ...]) -> None:
    """What had ended is still there as it was; remembers what has ended since."""
    found = {trial.number: trial for trial in trials if trial.state.ended}
    assert {number: found.get(number) for number in ended} == ended
    ended.update(found)


def test_fresh_ends_what_a_killed_tuner_left_running(workplace: Workplace) -> None:
    """The run that is set aside takes no processor time from the one that begins."""
    workplace.write(seconds=30)
    with workplace.running() as tuner:
        workplace.until(lambda: len(workplace.ledger("begun")) == 2)
        tuner.kill()
    assert workplace.processes()
    workplace.write(seconds=0)
    assert workplace.run("--fresh").returncode == 0
    assert not workplace.processes()
