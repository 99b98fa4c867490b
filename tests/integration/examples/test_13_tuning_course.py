"""The course of 13-tuning-course at full size, on accuracies that follow from the parameters."""

import math
import re
from pathlib import Path
from statistics import median

import pytest

from kubetune.domain.trial import Stage, Trial, TrialState
from tests.integration.following import SECONDS
from tests.integration.scripted import Scripted

HELD_OUT = "test_accuracy"
SEEDS = [1, 2, 3]

pytestmark = pytest.mark.timeout(2 * SECONDS)


def test_the_whole_course(tmp_path: Path) -> None:
    """Random, narrowed, ended by a plateau, the best five run again, held-out data read once."""
    study = Scripted("13-tuning-course", "classifying.py", tmp_path, metrics={"intervalSeconds": 1})
    said = study.run("--parallelism", "2")
    trials = study.trials()
    search = [trial for trial in trials if trial.stage is Stage.SEARCH]
    coarse, fine = ([one for one in search if one.phase == name] for name in ("coarse", "fine"))
    narrowed(coarse, fine)
    plateau(said, fine)
    finals(search, trials)
    held_out(trials, study.results()["best"])


def narrowed(coarse: list[Trial], fine: list[Trial]) -> None:
    """Two of four decades around the best five, wider only to hold them; lists stay whole."""
    assert len(coarse) == 40
    leaders = sorted(coarse, key=lambda trial: -(trial.value or 0.0))[:5]
    around, wide, close = (
        [math.log10(float(trial.parameters["learning_rate"])) for trial in trials]
        for trials in (leaders, coarse, fine)
    )
    assert max(wide) - min(wide) > 3
    assert min(median(around) - 1, *around) - 1e-9 <= min(close)
    assert max(close) <= max(median(around) + 1, *around) + 1e-9
    assert len({trial.parameters["batch_size"] for trial in fine}) > 2


def plateau(said: str, fine: list[Trial]) -> None:
    """The last phase ends before its trials are used up, and says what its last ten brought."""
    assert 10 < len(fine) < 30
    (told,) = re.findall(r"PlateauReached: the last 10 trials .* by (.*)%, less than 1.00%", said)
    best = max(trial.value or 0.0 for trial in fine[:-10])
    last = max(trial.value or 0.0 for trial in fine)
    assert float(told) == pytest.approx(100 * (last - best) / best, abs=0.006)


def finals(search: list[Trial], trials: tuple[Trial, ...]) -> None:
    """Each of the best five, and nobody else, with each of the three seeds."""
    complete = [trial for trial in search if trial.state is TrialState.COMPLETE]
    leaders = sorted(complete, key=lambda trial: (-(trial.value or 0.0), trial.number))[:5]
    runs = [trial for trial in trials if trial.stage is Stage.FINALIST]
    assert {trial.repeats for trial in runs} == {trial.number for trial in leaders}
    for leader in leaders:
        mine = [trial for trial in runs if trial.repeats == leader.number]
        assert [trial.seed for trial in mine] == SEEDS
        assert all(trial.parameters == leader.parameters for trial in mine)


def held_out(trials: tuple[Trial, ...], best: dict[str, object]) -> None:
    """The winner by the mean of its runs, in one run more, the last; in no other."""
    runs = [trial for trial in trials if trial.stage is Stage.FINALIST]
    means: dict[int, float] = {}
    for trial in runs:
        means[trial.repeats or 0] = means.get(trial.repeats or 0, 0.0) + (trial.value or 0.0) / 3
    last = trials[-1]
    assert last.stage is Stage.HELD_OUT
    assert last.repeats == max(means, key=means.__getitem__) == best["number"]
    shown = [one for one in trials if one.outcome and HELD_OUT in one.outcome.metrics]
    assert shown == [last]
