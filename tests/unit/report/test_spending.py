"""Time by how trials ended."""

import pytest

from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import TrialState
from kubetune.report.document import document
from kubetune.report.spending import spending
from tests.unit.report import made


def test_what_failed_was_wasted_and_what_was_pruned_was_not():
    """Two of four trials, 80 seconds each, brought nothing."""
    crash = [made.failed(number, TrialReason.CRASHED) for number in (2, 3)]
    spent = spending(made.findings(made.trial(0, 0.5), made.pruned(1), *crash))
    assert [(part.state, part.trials) for part in spent.parts] == [
        (TrialState.COMPLETE, 1),
        (TrialState.PRUNED, 1),
        (TrialState.FAILED, 2),
    ]
    assert (spent.seconds, spent.wasted, spent.wasted_share) == (320, 160, 0.5)


def test_what_the_study_s_end_stopped_or_nobody_ran_is_left_out():
    """Cancelled trials were no waste, imported ones cost nothing here."""
    known = made.failed(1, TrialReason.IMPORTED)
    spent = spending(made.findings(made.failed(0, TrialReason.CANCELLED), known))
    assert (spent.parts, spent.wasted_share) == ((), 0.0)


@pytest.mark.parametrize(("gpus", "shown"), [(0, False), (2, True)])
def test_gpu_hours_where_trials_hold_gpus(gpus, shown):
    """Eighty seconds of two GPUs."""
    text = document(made.findings(made.trial(0, 0.5), gpus=gpus))
    assert ("| Complete | 1 | 80 s | 0.0444 | 100 % |" in text) is shown
