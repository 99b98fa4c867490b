"""Marks on curves of real trainings: a folder of recordings, see its README."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from kubetune.domain.marks import Mark, mark
from kubetune.domain.study import Objective
from kubetune.domain.trial import Trial
from tests.unit.domain.marks import drawn

FOLDER = Path(__file__).parents[1] / "curves"
OBJECTIVES = {"language": drawn.LOSS, "classifier": drawn.F1}
EXPECTED = {
    "language-too-low": [Mark.SLOW_CONVERGENCE],
    "language-too-high": [Mark.DIVERGED, Mark.GRADIENT_EXPLOSION],
    "language-by-heart": [Mark.OVERFITTING],
    "language-absurd": [Mark.DIVERGED, Mark.GRADIENT_EXPLOSION],
    "classifier-too-low": [Mark.SLOW_CONVERGENCE],
    "classifier-too-high": [Mark.DIVERGED],
}


def recorded(kind: str) -> dict[str, Trial]:
    """The trials of one model by name."""
    trials = {}
    for number, file in enumerate(sorted(FOLDER.glob(f"{kind}-*.json"))):
        told = json.loads(file.read_text())
        steps = {
            step: {name: float(value) for name, value in metrics.items()}
            for step, metrics in told["curve"]
        }
        trials[file.stem] = drawn.joined(number, steps)
    return trials


def marks(objective: Objective, trials: dict[str, Trial]) -> dict[str, list[Mark]]:
    """The marks of each trial that has one."""
    found = mark(drawn.study(objective), tuple(trials.values()))
    names = {trial.number: name for name, trial in trials.items()}
    return {names[number]: [one.mark for one in them] for number, them in found.items()}


@pytest.mark.parametrize("kind", OBJECTIVES)
def test_each_fault_has_its_mark(kind: str) -> None:
    """Rates that are too low or too high and a few examples learned by heart; no other trial."""
    expected = {name: them for name, them in EXPECTED.items() if name.startswith(kind)}
    assert marks(OBJECTIVES[kind], recorded(kind)) == expected


@pytest.mark.parametrize("every", [2, 4, 10])
def test_a_scrape_sees_only_some_reports(every: int) -> None:
    """With fewer points there may be fewer marks, never others."""
    thinned = {
        name: replace(
            trial,
            curve=tuple(
                point
                for index, point in enumerate(trial.curve)
                if index % every == 0 or "eval_loss" in point.metrics
            ),
        )
        for name, trial in recorded("language").items()
    }
    found = marks(drawn.LOSS, thinned)
    assert found.keys() <= EXPECTED.keys()
    assert all(set(them) <= set(EXPECTED[name]) for name, them in found.items())
    assert Mark.GRADIENT_EXPLOSION in found["language-too-high"]
    assert found["language-too-low"] == [Mark.SLOW_CONVERGENCE]


def test_the_figures_are_told() -> None:
    """A mark names the step at which it shows and the values behind it."""
    found = mark(drawn.study(drawn.LOSS), tuple(recorded("language").values()))
    told = {one.mark: (one.step, one.message) for them in found.values() for one in them}
    turned = "eval_loss was best at step 15 with 5.1762 and ended at 5.7286"
    slow = "eval_loss came from 5.6295 to 5.5587 by step 60"
    assert told[Mark.OVERFITTING] == (
        15,
        f"{turned}, while train_loss fell from 5.0934 to 2.8792",
    )
    assert told[Mark.SLOW_CONVERGENCE] == (
        60,
        f"{slow}, the median of 5 finished trials to 5.1762",
    )
