"""Advice on what ended badly: each has numbers that call for it, and numbers that do not."""

from kubetune.domain.expressions import Kind, compile_expression
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import Adjustment, TrialPolicy
from kubetune.report.advice import failing
from tests.unit.report import made

HALF = Adjustment(name="width", value=compile_expression("width / 2", {"width": Kind.INT}))


def said(rule, *trials, **changes):
    """All that a rule says of these trials."""
    return "\n".join(rule(made.findings(*trials, **changes)))


def short(number, **changes):
    return made.failed(number, TrialReason.OUT_OF_MEMORY, **changes)


def test_memory_without_retries():
    """A fifth of the trials ran out of it: retries would help, and where they lie is said."""
    fine = [made.trial(number, 0.5, width=8) for number in range(6)]
    text = said(failing.memory, *fine, *(short(number, width=32) for number in (6, 7)))
    assert text.startswith("2 of 8 trials ran out of memory, 2 of them to their end")
    assert "all with `width` 32 (0 of the 6 others too)" in text
    assert "set `trials.onOutOfMemory`" in text
    assert said(failing.memory, *fine, short(6, width=32)) == ""


def test_memory_that_retries_saved():
    """Trials that went on smaller are counted, and retries are not recommended again."""
    policy = TrialPolicy(max=12, out_of_memory_retries=1, on_out_of_memory=(HALF,))
    saved = [made.trial(number, 0.5, width=32, out_of_memory=1) for number in range(2)]
    fine = [made.trial(number, 0.5, width=8) for number in range(2, 8)]
    text = said(failing.memory, *saved, *fine, trials=policy)
    assert "ran out of memory, 0 of them to their end" in text
    assert text.endswith("forbid what does not fit.")
    assert "onOutOfMemory" not in text


def test_what_trials_at_one_end_of_a_range_have_in_common():
    """A side of a range on which few others lie is named; a range that others share is not."""
    fine = [made.trial(number, 0.5, rate=0.001 * (number + 1)) for number in range(6)]
    hot = [made.failed(number, TrialReason.DIVERGED, rate=0.5) for number in (6, 7)]
    text = said(failing.reasons, *fine, *hot)
    assert "all with `rate` from 0.5 up (0 of the 6 others too)" in text
    mixed = [made.failed(number, TrialReason.DIVERGED, rate=0.003) for number in (6, 7)]
    assert "all with" not in said(failing.reasons, *fine, *mixed)


def test_wasted_time():
    """Two failures in ten take a fifth of the time; of one in twenty nothing is said."""
    fine = [made.trial(number, 0.5) for number in range(8)]
    crash = [made.failed(number, TrialReason.CRASHED) for number in (8, 9)]
    assert said(failing.wasted, *fine, *crash).startswith("20 % of the time (2.7 min) went into 2")
    assert said(failing.wasted, *fine, crash[0]) == ""
    many = [made.trial(number, 0.5) for number in range(30)]
    assert said(failing.wasted, *many, *crash) == ""
