"""The stop rules of 11-image-classifier at full size, on trainings that are only reckoned."""

from typing import Any

import pytest

from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import Trial, TrialState
from tests.integration.following import SECONDS
from tests.integration.scripted import Scripted

BY_HAND = {
    "learning_rate": 3e-5,
    "weight_decay": 0.07,
    "drop_rate": 0.2,
    "drop_path_rate": 0.1,
    "label_smoothing": 0.05,
    "peak_ratio": 8.0,
    "pct_start": 0.2,
    "div_factor": 20.0,
}

TRIED = {
    "too-slow": {"learning_rate": 1e-5},
    "too-fast": {"learning_rate": 5e-5},
    "high-peak": {"peak_ratio": 10.0},
    "hardly-regularised": {"weight_decay": 0.05},
    "large": {"div_factor": 25.0},
    "broken": {"pct_start": 0.3},
}
"""What each differs in from the configuration that was found by hand."""

STEPS_OF_AN_EPOCH = 10

pytestmark = pytest.mark.timeout(2 * SECONDS)


@pytest.fixture(scope="module")
def said_and_trials(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Trial]]:
    """The log, and the trials by name: the one by hand, and one for each rule."""
    given: list[dict[str, Any]] = [
        {"name": "by-hand", "baseline": True, "parameters": BY_HAND},
        *({"name": name, "parameters": BY_HAND | changed} for name, changed in TRIED.items()),
    ]
    found = Scripted(
        "11-image-classifier",
        "recognising.py",
        tmp_path_factory.mktemp("rules"),
        fixed={"epochs": 4},
        initialTrials=given,
        trials={"max": len(given)},
    )
    said = found.run()
    names = [each["name"] for each in given]
    return said, dict(zip(names, found.trials(), strict=True))


def test_the_configuration_by_hand_is_sound(
    said_and_trials: tuple[str, dict[str, Trial]],
) -> None:
    """It goes to its end, and each epoch has every measure that was asked for."""
    trial = said_and_trials[1]["by-hand"]
    assert trial.state is TrialState.COMPLETE
    assert trial.baseline
    evaluated = [point for point in trial.curve if "eval_epoch" in point.metrics]
    assert [point.step for point in evaluated] == [10, 20, 30, 40]
    for point in evaluated:
        assert {
            *("train_accuracy", "eval_accuracy", "train_loss", "eval_loss", "eval_macro_f1"),
            *("accuracy_gap", "epoch_seconds"),
        } <= point.metrics.keys()


@pytest.mark.parametrize(
    ("name", "rule", "state", "epoch"),
    [
        ("too-slow", "slow-start", TrialState.PRUNED, 1.0),
        ("too-fast", "overfitting", TrialState.PRUNED, 2.0),
        ("high-peak", "no-learning", TrialState.FAILED, 1.5),
        ("hardly-regularised", "gap", TrialState.PRUNED, 3.0),
    ],
)
def test_each_stop_rule_ends_a_trial(
    said_and_trials: tuple[str, dict[str, Trial]],
    name: str,
    rule: str,
    state: TrialState,
    epoch: float,
) -> None:
    """At the first report that breaks it, with the figures that broke it."""
    said, trials = said_and_trials
    trial = trials[name]
    assert trial.outcome
    assert (trial.state, trial.outcome.reason) == (state, TrialReason.GUARD_TRIPPED)
    assert trial.curve[-1].step == epoch * STEPS_OF_AN_EPOCH
    assert trial.outcome.message.startswith(f"guard '{rule}'")
    assert f"guard '{rule}'" in said


def test_a_crash_is_a_memory_problem_until_shown_otherwise(
    said_and_trials: tuple[str, dict[str, Trial]],
) -> None:
    """One that goes away with smaller batches was one; one that stays is a crash, and says so."""
    said, trials = said_and_trials
    large, broken = trials["large"], trials["broken"]
    assert (large.state, large.attempt, large.out_of_memory) == (TrialState.COMPLETE, 3, 2)
    assert large.parameters["batch_size"] == 8
    assert large.parameters["gradient_accumulation_steps"] == 4
    assert "taken for a lack of memory: batch_size 32 -> 16" in said
    assert broken.outcome
    assert (broken.state, broken.attempt) == (TrialState.FAILED, 3)
    assert broken.outcome.reason is TrialReason.CRASHED
    assert "taken for a lack of memory before, all 2 retries are used" in broken.outcome.message
