"""Shares of the study's own classes, with how sure they are."""

import pytest

from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import Stage
from kubetune.report.stability import stability
from tests.unit.report import made


def test_shares_of_ended_trials():
    """Each class of those that ended, and those in none of them."""
    good = [made.trial(number, 0.95) for number in range(6)]
    usable, none = stability(made.findings(*good, made.trial(6, 0.5), made.trial(7)))
    assert (usable.name, usable.trials, usable.of) == ("usable", 6, 7)
    assert (none.name, none.trials) == ("", 1)


def test_finals_are_no_evidence_of_what_a_draw_is_worth():
    """They run again what was found best."""
    final = made.trial(2, 0.95, stage=Stage.FINALIST, repeats=0, seed=1)
    usable, _ = stability(made.findings(made.trial(0, 0.95), made.trial(1, 0.5), final))
    assert (usable.trials, usable.of) == (1, 2)


def test_few_trials_are_little_evidence():
    """Three of three are no certainty, thirty of thirty nearly one (Wilson's figures)."""
    (three,) = stability(made.findings(*(made.trial(number, 0.95) for number in range(3))))
    (thirty,) = stability(made.findings(*(made.trial(number, 0.95) for number in range(30))))
    assert (three.low, three.high) == (pytest.approx(0.4385, abs=1e-3), 1.0)
    assert thirty.low == pytest.approx(0.8865, abs=1e-3)


def test_a_study_without_classes():
    """Nothing is made up, and nothing of a study in which no trial ended."""
    assert stability(made.findings(made.trial(0, 0.5), outcomes=())) == ()
    assert stability(made.findings(made.trial(0))) == ()


def test_cancelled_trials_are_left_out():
    """The study's end says nothing of their configuration."""
    cancelled = made.failed(1, TrialReason.CANCELLED)
    (usable,) = stability(made.findings(made.trial(0, 0.95), cancelled))
    assert usable.of == 1
