"""The course of 12-llm-sft at full size, on losses that follow from the parameters."""

from pathlib import Path

import pytest

from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import TrialState
from tests.integration.scripted import SECONDS, Scripted

LAST, EVALUATED = 50_000, 1000
CLASSES = ("eval_accuracy", "eval_wrong_share", "eval_format_failure_share")

pytestmark = pytest.mark.timeout(2 * SECONDS)


def test_most_trials_end_early(tmp_path: Path) -> None:
    """ASHA ends at least half of twenty trials at its rungs, patience the others before the end.

    What patience ends is complete: its loss counts, and the best one is among those.
    """
    study = Scripted("12-llm-sft", "finetuning.py", tmp_path)
    study.run()
    trials = study.trials()
    assert len(trials) == 20
    pruned = [trial for trial in trials if trial.state is TrialState.PRUNED]
    assert len(pruned) >= 10
    assert {trial.outcome and trial.outcome.reason for trial in pruned} == {TrialReason.PRUNED}
    assert min(trial.curve[-1].step for trial in pruned) == 2000
    rest = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    assert len(pruned) + len(rest) == 20
    for trial in rest:
        assert trial.curve[-1].step < LAST
        losses = [point.metrics["eval_loss"] for point in trial.curve]
        assert [point.step for point in trial.curve] == [
            EVALUATED * (index + 1) for index in range(len(losses))
        ]
        assert losses[-4] - losses[-1] < 0.001
    best = study.results()["best"]
    assert best["values"]["eval_loss"] == min(trial.value or 9.0 for trial in rest)
    assert sum(best["metrics"][name] for name in CLASSES) == pytest.approx(1.0)
    assert (study.folder / "best_config.yaml").exists()
