"""Overfitting."""

import pytest

from kubetune.domain.marks import Mark, mark
from kubetune.domain.study import Objective
from kubetune.domain.trial import Trial
from tests.unit.domain.marks import drawn

FALL = [2.0, 1.5, 1.1, 0.8, 0.6, 0.45, 0.35, 0.3]
TURN = [2.1, 1.6, 1.3, 1.2, 1.3, 1.45, 1.6, 1.8]
ACCURACY = [0.60, 0.75, 0.85, 0.90, 0.88, 0.86, 0.84, 0.83]


def step_of(trial: Trial, objective: Objective = drawn.LOSS) -> float | None:
    """The step from which on it overfitted; None when it did not."""
    found = mark(drawn.study(objective), [trial]).get(trial.number, ())
    return next((one.step for one in found if one.mark is Mark.OVERFITTING), None)


@pytest.mark.parametrize("name", ["train_loss", "loss"])
def test_the_best_step_is_told(name: str) -> None:
    """The evaluation loss turns while the training loss, by either name, goes on falling."""
    assert step_of(drawn.trial(eval_loss=TURN, **{name: FALL})) == 4


def test_an_objective_that_is_no_loss() -> None:
    """An accuracy that falls while the training loss does too."""
    trial = drawn.trial(eval_macro_f1=ACCURACY, train_loss=FALL)
    assert step_of(trial, drawn.F1) == 4
    [[found]] = mark(drawn.study(drawn.F1), [trial]).values()
    assert "eval_macro_f1 was best at step 4 with 0.9 and ended at 0.84" in found.message


def test_a_training_loss_that_rises_too() -> None:
    """The model forgets: whatever it is, it is not learning by heart."""
    trial = drawn.trial(eval_macro_f1=ACCURACY, train_loss=[*FALL[:4], 0.9, 1.0, 1.1, 1.2])
    assert step_of(trial, drawn.F1) is None


def test_a_training_loss_that_stands_still() -> None:
    """Nothing was learned by heart where nothing was learned: the rate was too low."""
    losses = [2.3026, 2.302, 2.3013, 2.3008, 2.3, 2.2995, 2.299, 2.2983]
    judged = [0.02, 0.06, 0.1, 0.106, 0.103, 0.1, 0.096, 0.093]
    assert step_of(drawn.trial(eval_macro_f1=judged, train_loss=losses), drawn.F1) is None


def test_a_small_fall_is_of_no_account() -> None:
    """Less than 2 % of the best value, however clearly it is seen."""
    small = [0.60, 0.75, 0.85, 0.9, 0.897, 0.894, 0.891, 0.888]
    assert step_of(drawn.trial(eval_macro_f1=small, train_loss=FALL), drawn.F1) is None


def test_the_best_may_be_the_first() -> None:
    """One epoch was enough: the usual case of fine-tuning."""
    assert step_of(drawn.trial(eval_loss=[1.0, 1.1, 1.3, 1.5, 1.7], loss=FALL[:5])) == 1


@pytest.mark.parametrize(
    ("judged", "losses"),
    [
        (TURN, []),
        (TURN, [0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2]),
        ([*TURN[:4], 1.3, 1.45], FALL[:6]),
        (TURN[3:7], FALL[3:7]),
        ([2.1, 1.6, 1.3, 1.2, 1.205, 1.21, 1.21, 1.215], FALL),
        ([2.1, 1.2, 1.5, 1.1, 1.6, 1.2, 1.5, 1.3], FALL),
        ([2.1, 1.6, 1.3, 1.2, 1.25, 1.3, 1.33, 1.36], [value + 1.0 for value in FALL]),
    ],
    ids=[
        "no training loss",
        "both get worse",
        "two evaluations after the best",
        "four evaluations",
        "one per cent",
        "noise",
        "close together",
    ],
)
def test_what_is_no_overfitting(judged: list[float], losses: list[float]) -> None:
    """Each condition of the rule is needed."""
    assert step_of(drawn.trial(eval_loss=judged, train_loss=losses)) is None


def test_the_training_loss_is_not_its_own_judge() -> None:
    """A study that minimises the training loss has nothing held back to overfit against."""
    for name in ("train_loss", "loss"):
        objective = Objective(metric=name, direction=drawn.LOSS.direction)
        assert step_of(drawn.trial(**{name: TURN}), objective) is None


def test_a_trial_that_exploded_is_not_called_overfitting() -> None:
    """It has worse troubles; one word for one trouble."""
    trial = drawn.trial(eval_loss=TURN, train_loss=FALL, gradient_explosions=[0.0] * 7 + [1.0])
    assert step_of(trial) is None
