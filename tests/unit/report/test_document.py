"""REPORT.md as a whole: a golden one, and the edges."""

import os
from dataclasses import replace
from pathlib import Path

from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import Direction, Phase, Pruner, Sampler
from kubetune.domain.trial import TrialState
from kubetune.report.document import document
from kubetune.report.findings import gather, unwritten
from tests.builders import make_outcome
from tests.unit.report import made

GOLDEN = Path(__file__).parents[2] / "golden" / "report" / "REPORT.md"


def test_the_report_of_a_whole_study():
    """Every section, word for word; KUBETUNE_GOLDEN=write writes the file anew."""
    text = document(made.findings(*made.trials()))
    if os.environ.get("KUBETUNE_GOLDEN") == "write":
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_a_phase_that_is_full_needs_more_of_its_own():
    """`trials.max` alone adds nothing to a last phase that has a number of trials."""
    for number, told in ((4, True), (None, False)):
        phase = Phase(
            name="full", space=made.SPACE, sampler=Sampler(), pruner=Pruner(), trials=number
        )
        text = document(made.findings(*made.trials(), phases=(phase,)))
        words = "More trials on top of these, once phase full has more or another one follows it"
        assert (words in text) == told


def test_no_trials():
    """A study that has not begun says so, and has no empty sections."""
    text = document(made.findings())
    assert "No trial has been drawn yet." in text
    assert "There is no `best_config.yaml`" in text
    assert "## Best" not in text
    assert "## Trials" not in text


def test_nothing_complete():
    """Without a complete trial there is no best, and the states are counted."""
    text = document(made.findings(made.failed(0, TrialReason.CRASHED), made.pruned(1)))
    assert "No trial is Complete, so there is no best configuration: 1 Failed, 1 Pruned." in text


def test_an_infeasible_trial_is_never_the_best():
    """A trial that broke a measured limit counts as a failure, however good its value."""
    infeasible = make_outcome(
        0.99,
        state=TrialState.INFEASIBLE,
        reason=TrialReason.OUTCOME_CONSTRAINT_BROKEN,
        message="memory is 9, at most 8",
    )
    text = document(made.findings(made.trial(0, outcome=infeasible), made.trial(1, 0.5)))
    assert "**Trial 1 is the best" in text
    assert "| OutcomeConstraintBroken | 1 | 50 % | trial 0: `memory is 9, at most 8` |" in text


def test_failure_modes_are_counted():
    """Complete trials are among them; those that the study's end stopped are not."""
    cancelled = made.failed(3, TrialReason.CANCELLED)
    these = (made.overfitted(0), made.overfitted(1), made.trial(2, 0.5), cancelled)
    text = document(made.findings(*these))
    assert "## Failure modes\n\nSeen in the curves, whatever state the trial ended in." in text
    assert "| Overfitting | 2 | 67 % | trial 0: `accuracy was best at step 3 with 0.9 and" in text
    assert "## Failure modes" not in document(made.findings(made.trial(0, 0.5)))


def test_several_objectives_have_a_front():
    """No single best: the whole Pareto front is listed, the beaten trial is not."""
    these = (made.pair(0, 0.9, 30.0), made.pair(1, 0.8, 10.0), made.pair(2, 0.7, 20.0))
    text = document(made.findings(*these, objectives=made.TWO))
    assert "2 trials make up the Pareto front of `accuracy` and `latency`" in text
    assert "## Pareto front\n\n| trial | `accuracy` | `latency` | time |" in text
    assert "| 0 | 0.9 | 30 | 80 s |\n| 1 | 0.8 | 10 | 80 s |\n\n" in text


def test_without_the_manifest_only_the_database_speaks():
    """What only a manifest says is left out, not guessed: end, ranges, messages, commands."""
    trials = made.trials()
    spec = unwritten("made", [("accuracy", Direction.MAXIMIZE)], trials)
    text = document(gather(spec, trials, None))
    assert "**Trial 10 is the best: `accuracy` 0.9612" in text
    assert "| `no-fast-heavy` |  | 1 |  |" in text
    for word in ("has ended", "has not ended", "kubetune run", "kubetune-trainer", "end of its"):
        assert word not in text


def test_a_running_study_has_not_ended():
    """A report may be written at any time, and says that trials still run."""
    text = document(made.findings(made.trial(0, 0.5), made.trial(1)))
    assert "2 trials: 1 Complete, 1 active. The study has not ended." in text


def test_a_program_of_one_s_own_is_not_called_kubetune_trainer():
    """The recipe's command is shown only when the trial runs it, with arguments known now."""
    own = {"name": "trainer", "command": ["python", "train.py"], "args": ["digits"]}
    late = {"name": "trainer", "args": ["digits", "$(KUBETUNE_PARAM_rate)"]}
    for container in (own, late):
        spec = made.study(template={"spec": {"containers": [container]}})
        text = document(gather(spec, (made.trial(0, 0.5),), None))
        assert "kubetune-trainer" not in text


def test_non_finite_metrics_are_shown():
    """A metric beside the objective may be NaN in the best trial."""
    strange = made.trial(1, 0.9)
    assert strange.outcome
    metrics = {"accuracy": 0.9, "loss": float("nan")}
    strange = replace(strange, outcome=replace(strange.outcome, metrics=metrics))
    text = document(made.findings(made.trial(0, 0.5, baseline=True), strange))
    assert "| `loss` | 0.5 | nan |" in text
