"""The first sentence of a report."""

from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import Direction, Objective
from kubetune.report.verdict import honesty, verdict
from tests.unit.report import made


def test_the_best_is_compared_with_the_baseline():
    """Value, direction and the relative gain stand in one sentence."""
    text = verdict(made.findings(made.trial(0, 0.8, baseline=True), made.trial(1, 0.9)))
    assert text == (
        "Trial 1 is the best: `accuracy` 0.9 (more is better),"
        " +12.5 % on the baseline's 0.8 (trial 0)."
    )


def test_a_baseline_that_nothing_beat():
    """The verdict does not call a baseline a find."""
    text = verdict(made.findings(made.trial(0, 0.8, baseline=True), made.trial(1, 0.7)))
    assert text.startswith("The baseline, trial 0, is still the best:")


def test_a_baseline_that_failed():
    """A comparison that cannot be made is said to be missing."""
    broken = made.failed(0, TrialReason.CRASHED, baseline=True)
    text = verdict(made.findings(broken, made.trial(1, 0.7)))
    assert text.endswith("; the baseline (trial 0) has no value: Failed, Crashed.")


def test_a_baseline_of_zero_has_no_percentage():
    """The difference itself is shown: nothing is a share of zero."""
    text = verdict(made.findings(made.trial(0, 0.0, baseline=True), made.trial(1, 0.7)))
    assert "+0.7 on the baseline's 0 " in text


def test_less_is_better():
    """The direction is spelled out."""
    loss = (Objective(metric="accuracy", direction=Direction.MINIMIZE),)
    text = verdict(made.findings(made.trial(0, 0.8), made.trial(1, 0.7), objectives=loss))
    assert text == "Trial 1 is the best: `accuracy` 0.7 (less is better)."


def test_the_figure_chosen_on_is_called_that():
    """A choice among trials flatters its winner, and the report says so; one trial is no choice."""
    chosen = made.findings(made.trial(0, 0.8), made.trial(1, 0.7))
    assert "not a measurement on held-back data" in honesty(chosen)
    assert honesty(made.findings(made.trial(0, 0.8))) == ""
