"""Pruning: who is judged, against whom, and what is said."""

from dataclasses import replace

import pytest

from kubetune.domain import pruning
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import Direction, Objective, Patience, Pruner, PrunerAlgorithm
from kubetune.domain.trial import Stage, TrialState
from tests.builders import ACCURACY, make_field, make_outcome, make_points, make_study, make_trial

ASHA = Pruner(algorithm=PrunerAlgorithm.ASHA, min_resource=1, max_resource=27, reduction_factor=3)
BETTER = make_trial(0, 0.9, curve=make_points(0.9))
UNTRAINED = make_trial(2, 0.9, curve=make_points(0.5, 0.9, start=0))
WORSE = make_trial(1, curve=make_points(0.1))


def prune(spec, trial, peers):
    """The verdict over a trial among its peers."""
    return pruning.prune(spec, trial, make_field(spec, trial, peers))


def test_a_verdict_says_pruned_with_figures():
    """State Pruned, reason Pruned, and the figures that decided."""
    verdict = prune(make_study(pruner=ASHA), WORSE, [BETTER])
    assert verdict
    assert (verdict.state, verdict.reason) == (TrialState.PRUNED, TrialReason.PRUNED)
    assert verdict.message == ("value 0.1 at step 1 is not within the best 1 of 2 (needs >= 0.9)")


def test_patience_has_its_own_reason():
    """A trial cut by its own curve says PatienceExhausted, with or without a pruner."""
    spec = make_study(pruner=Pruner(patience=Patience(evaluations=1)))
    verdict = prune(spec, make_trial(curve=make_points(0.5, 0.4)), [])
    assert verdict
    assert (verdict.state, verdict.reason) == (TrialState.PRUNED, TrialReason.PATIENCE_EXHAUSTED)


@pytest.mark.parametrize(
    ("trial", "why"),
    [
        (make_trial(1, curve=make_points(0.1, start=27)), "it reached max_resource"),
        (make_trial(1, curve=make_points(0.1), baseline=True), "it is the baseline"),
        (make_trial(1, curve=make_points(0.1), stage=Stage.FINALIST), "it is a finalist"),
        (make_trial(1), "it reported nothing"),
        (make_trial(1, curve=make_points(0.1, start=0)), "it has not begun"),
    ],
)
def test_some_trials_are_never_pruned(trial, why):
    """A trial at its end, a baseline, a finalist, a silent trial or one before its first step."""
    for pruner in (ASHA, Pruner(algorithm=PrunerAlgorithm.MEDIAN, startup_trials=1)):
        spec = make_study(pruner=replace(pruner, max_resource=27))
        assert prune(spec, trial, [BETTER, UNTRAINED]) is None, why


def test_several_objectives_are_never_pruned():
    """There is no single curve to judge by."""
    second = Objective(metric="size", direction=Direction.MINIMIZE)
    spec = make_study(pruner=ASHA, objectives=(ACCURACY, second))
    assert prune(spec, WORSE, [BETTER]) is None


@pytest.mark.parametrize(
    "peer",
    [
        make_trial(1, curve=make_points(0.9)),
        make_trial(
            2,
            curve=make_points(0.9),
            outcome=make_outcome(0.9, state=TrialState.INFEASIBLE),
        ),
        make_trial(2, 0.9, curve=make_points(0.9), stage=Stage.FINALIST),
        make_trial(2, 0.9, curve=make_points(float("nan"))),
        make_trial(2, 0.9),
    ],
)
def test_some_peers_do_not_count(peer):
    """The trial itself, infeasible ones, finalists, and peers without a finite value there."""
    assert prune(make_study(pruner=ASHA), WORSE, [peer]) is None


@pytest.mark.parametrize("state", [TrialState.FAILED, TrialState.PRUNED, TrialState.COMPLETE])
def test_ended_peers_count_by_their_curves(state):
    """A peer that failed later still set the mark at the rung that it reached."""
    peer = make_trial(2, curve=make_points(0.9), outcome=make_outcome(None, state=state))
    assert prune(make_study(pruner=ASHA), WORSE, [peer])


def test_no_pruner_prunes_nothing():
    """Algorithm None leaves every trial alone."""
    assert prune(make_study(), WORSE, [BETTER]) is None


@pytest.mark.parametrize("algorithm", list(PrunerAlgorithm))
def test_every_pruner_answers_without_peers(algorithm):
    """The first trial of a study is never cut for want of others."""
    spec = make_study(pruner=Pruner(algorithm=algorithm, max_resource=9))
    assert prune(spec, make_trial(curve=make_points(0.1, 0.2)), []) is None
