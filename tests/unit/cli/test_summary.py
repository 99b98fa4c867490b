"""What is said when a run ends."""

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from kubetune.cli import summary
from kubetune.domain.planner import plan
from kubetune.domain.study import Direction, Objective, StudySpec
from kubetune.domain.trial import Point, Trial
from tests.builders import ACCURACY, make_observation, make_outcome, make_study, make_trial

FOLDER = Path("runs") / ("a-long-name-" * 8)


def said(*trials: Trial, spec: StudySpec | None = None) -> str:
    """The end of a study, 80 columns wide."""
    console = Console(file=io.StringIO(), width=80, markup=False, highlight=False)
    study = spec or make_study()
    status = plan(make_observation(*trials, spec=study)).status
    summary.show(console, study, status, trials, FOLDER)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def template(**trainer: Any) -> dict[str, Any]:
    return {"spec": {"containers": [{"name": "sidecar"}, {"name": "trainer", **trainer}]}}


def test_the_top_trials_are_in_order() -> None:
    """Best first, five at most."""
    text = said(*(make_trial(number, number / 10) for number in range(8)))
    rows = [line.split()[:2] for line in text.splitlines() if "x=0.5" in line]
    assert rows == [["7", "0.7"], ["6", "0.6"], ["5", "0.5"], ["4", "0.4"], ["3", "0.3"]]


def test_the_best_configuration_is_whole() -> None:
    """Fixed and derived values are part of what to train with."""
    text = said(make_trial(3, 0.5, parameters={"x": 0.25, "epochs": 10}))
    assert "Best configuration (trial 3):\n  x: 0.25\n  epochs: 10\n" in text


def test_trials_that_trained_badly_are_counted() -> None:
    """By mark, where no state says so; without any there is no such line."""
    reports = ({"accuracy": 0.5, "gradient_explosions": 2.0},)
    curve = tuple(Point(1.0, metrics) for metrics in reports)
    text = said(
        make_trial(0, 0.5, curve=curve), make_trial(1, 0.6, curve=curve), make_trial(2, 0.7)
    )
    assert "  marked by their curves: 2 GradientExplosion\n" in text
    assert "marked" not in said(make_trial(0, 0.5))


def test_paths_and_commands_are_never_cut() -> None:
    """What is printed to be copied stands on one line, however long it is."""
    text = said(make_trial(0, 0.5), spec=make_study(template=template(args=["digits"])))
    assert f"Report: {FOLDER}/REPORT.md\n" in text
    assert f"Retrain: kubetune-trainer digits --config {FOLDER}/best_config.yaml\n" in text


def test_a_program_of_one_s_own_gets_the_file() -> None:
    """Only a trainer that is ours is known to read the file by itself."""
    spec = make_study(template=template(command=["python", "train.py"]))
    text = said(make_trial(0, 0.5), spec=spec)
    assert f"Retrain: with the parameters in {FOLDER}/best_config.yaml" in text


def test_arguments_are_quoted_for_the_shell() -> None:
    """A copied command does what the manifest says and nothing else."""
    spec = make_study(template=template(args=["digits", "; rm -rf x"]))
    assert "kubetune-trainer digits '; rm -rf x' --config" in said(make_trial(0, 0.5), spec=spec)


def test_without_a_complete_trial_nothing_is_called_best() -> None:
    """No configuration, no command to retrain; the report says why."""
    text = said(make_trial(0))
    assert "Best" not in text
    assert "Retrain" not in text
    assert "Report: " in text


def test_several_objectives_have_a_front_and_no_best() -> None:
    """The first of the Pareto front is called just that."""
    cost = Objective(metric="cost", direction=Direction.MINIMIZE)
    spec = make_study(objectives=(ACCURACY, cost))
    trials = [
        make_trial(number, outcome=make_outcome(values=values))
        for number, values in enumerate([(0.5, 1.0), (0.9, 2.0), (0.4, 3.0)])
    ]
    text = said(*trials, spec=spec)
    assert "First of the Pareto front (trial 1):" in text
    assert "Best configuration" not in text
    assert [line.split()[0] for line in text.splitlines() if "x=0.5" in line] == ["1", "0"]


def test_hostile_parameters_are_shown_harmless() -> None:
    """Values drawn from a stranger's manifest steer no terminal."""
    text = said(make_trial(0, 0.5, parameters={"x": "\x1b[2J[bold]\n"}))
    assert "\x1b" not in text
    assert "[bold]" in text
