"""Differential tests: the same histories give the same decisions as Optuna's pruners."""

import warnings

import numpy as np
import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import TrialState as OptunaState
from optuna.trial import create_trial

from kubetune.domain import pruning
from kubetune.domain.study import (
    Direction,
    Objective,
    Patience,
    Pruner,
    PrunerAlgorithm,
    Summary,
)
from kubetune.domain.trial import Trial, TrialState
from tests.builders import make_field, make_outcome, make_points, make_study, make_trial

pytestmark = pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")

STATES = {
    TrialState.RUNNING: OptunaState.RUNNING,
    TrialState.COMPLETE: OptunaState.COMPLETE,
    TrialState.PRUNED: OptunaState.PRUNED,
    TrialState.FAILED: OptunaState.FAIL,
}
SEEDS = st.integers(0, 2**32 - 1)
DIRECTIONS = st.sampled_from(list(Direction))


def prune(spec, trial, peers):
    """The verdict over a trial among its peers."""
    return pruning.prune(spec, trial, make_field(spec, trial, peers))


@pytest.fixture(autouse=True, scope="module")
def quiet():
    """Optuna says on standard error that it made a study; here it makes hundreds."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    yield
    optuna.logging.set_verbosity(before)


def make_spec(pruner: Pruner, direction: Direction):
    objective = Objective(metric="accuracy", direction=direction, summary=Summary.LAST)
    return make_study(objectives=(objective,), pruner=pruner)


def make_history(seed: int, steps: int = 6) -> list[Trial]:
    """Trials that report at every step from 1 until they end, in random states."""
    random = np.random.default_rng(seed)
    trials = []
    for number in range(int(random.integers(0, 12))):
        values = random.normal(size=int(random.integers(1, steps + 1))).round(2).tolist()
        state = list(STATES)[int(random.choice(4, p=[0.1, 0.7, 0.1, 0.1]))]
        outcome = None
        if state.ended:
            has_value = state is TrialState.COMPLETE
            outcome = make_outcome(values[-1] if has_value else None, state=state)
        trials.append(make_trial(number, outcome=outcome, curve=make_points(*values)))
    return trials


def make_optuna_study(trials: list[Trial], direction: Direction):
    study = optuna.create_study(direction=direction.lower(), study_name="study")
    for trial in trials:
        study.add_trial(
            create_trial(
                state=STATES[trial.state],
                value=trial.value,
                intermediate_values={
                    int(point.step): point.metrics["accuracy"] for point in trial.curve
                },
            )
        )
    return study


def decide_both(pruner: Pruner, theirs, direction: Direction, seed: int, trial: Trial):
    """Our decision and Optuna's about a running trial after the same history."""
    history = make_history(seed)
    trial = make_trial(len(history), curve=trial.curve)
    study = make_optuna_study([*history, trial], direction)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of steps that are not shared
        expected = theirs.prune(study, study.trials[-1])
    return prune(make_spec(pruner, direction), trial, history) is not None, bool(expected)


def random_curve(seed: int, steps: int = 6, shift: float = 0.0) -> Trial:
    random = np.random.default_rng(seed + 1)
    values = random.normal(loc=shift, size=random.integers(1, steps + 1)).round(2)
    return make_trial(curve=make_points(*values.tolist()))


@given(SEEDS, DIRECTIONS, st.integers(0, 5), st.integers(0, 3))
def test_median_decides_as_optuna(seed, direction, startup, warmup):
    """Startup trials, warm-up steps and the median of complete trials at the step."""
    ours = Pruner(algorithm=PrunerAlgorithm.MEDIAN, startup_trials=startup, warmup_steps=warmup)
    theirs = optuna.pruners.MedianPruner(n_startup_trials=startup, n_warmup_steps=warmup)
    decision, expected = decide_both(ours, theirs, direction, seed, random_curve(seed))
    assert decision is expected


@given(SEEDS, DIRECTIONS, st.sampled_from([5.0, 25.0, 33.3, 80.0]))
def test_percentile_decides_as_optuna(seed, direction, percentile):
    """The best share of complete trials at the step."""
    ours = Pruner(algorithm=PrunerAlgorithm.PERCENTILE, percentile=percentile, startup_trials=1)
    theirs = optuna.pruners.PercentilePruner(percentile, n_startup_trials=1)
    decision, expected = decide_both(ours, theirs, direction, seed, random_curve(seed))
    assert decision is expected


@given(SEEDS, st.sampled_from([(-0.5, None), (None, 0.5), (-1.0, 1.0)]), st.integers(0, 4))
def test_threshold_decides_as_optuna(seed, bounds, warmup):
    """Bounds on the last value."""
    lower, upper = bounds
    ours = Pruner(
        algorithm=PrunerAlgorithm.THRESHOLD, lower=lower, upper=upper, warmup_steps=warmup
    )
    theirs = optuna.pruners.ThresholdPruner(lower, upper, n_warmup_steps=warmup)
    trial = random_curve(seed)
    decision, expected = decide_both(ours, theirs, Direction.MAXIMIZE, seed, trial)
    assert decision is expected


@given(SEEDS, DIRECTIONS, st.sampled_from([0.05, 0.1, 0.3]), st.sampled_from([-2.0, 0.0, 2.0]))
def test_wilcoxon_decides_as_optuna(seed, direction, p_threshold, shift):
    """The signed-rank test against the best trial, with its safeguard."""
    ours = Pruner(algorithm=PrunerAlgorithm.WILCOXON, p_threshold=p_threshold, startup_trials=0)
    theirs = optuna.pruners.WilcoxonPruner(p_threshold=p_threshold)
    decision, expected = decide_both(ours, theirs, direction, seed, random_curve(seed, shift=shift))
    assert decision is expected


@given(SEEDS, DIRECTIONS, st.integers(1, 4))
def test_patience_decides_as_optuna(seed, direction, evaluations):
    """Without a least gain, and with values that are never equal, both rules are one."""
    values = np.random.default_rng(seed).normal(size=seed % 9 + 1)
    trial = make_trial(curve=make_points(*values))
    ours = Pruner(patience=Patience(evaluations=evaluations))
    theirs = optuna.pruners.PatientPruner(None, patience=evaluations - 1)
    decision, expected = decide_both(ours, theirs, direction, seed, trial)
    assert decision is expected


def run_in_turn(pruner: Pruner, theirs, direction: Direction, seed: int, trials: int) -> int:
    """Runs trials one after the other under both pruners; every decision must be the same.

    Returns how many were pruned.
    """
    random = np.random.default_rng(seed)
    study = optuna.create_study(direction=direction.lower(), study_name="study", pruner=theirs)
    spec, done, pruned = make_spec(pruner, direction), [], 0
    for number in range(trials):
        asked = study.ask()
        values: list[float] = []
        for step in range(1, 27):
            values.append(round(number % 5 + float(random.normal()) * step**0.5, 1))
            asked.report(values[-1], step)
            expected = asked.should_prune()
            running = make_trial(number, curve=make_points(*values))
            decision = prune(spec, running, done) is not None
            assert decision is expected, f"trial {number} at step {step}"
            if decision:
                break
        pruned += decision
        state = TrialState.PRUNED if decision else TrialState.COMPLETE
        outcome = make_outcome(None if decision else values[-1], state=state)
        done.append(make_trial(number, outcome=outcome, curve=make_points(*values)))
        study.tell(asked, None if decision else values[-1], STATES[state])
    return pruned


@pytest.mark.parametrize(("low", "factor"), [(1, 2), (1, 3), (2, 4)])
@given(SEEDS, DIRECTIONS)
@settings(max_examples=5)
def test_asha_decides_as_optuna_in_turn(low, factor, seed, direction):
    """One trial after the other, a report at every step: successive halving, same decisions."""
    ours = Pruner(
        algorithm=PrunerAlgorithm.ASHA,
        min_resource=low,
        max_resource=27,
        reduction_factor=factor,
    )
    theirs = optuna.pruners.SuccessiveHalvingPruner(low, factor)
    assert run_in_turn(ours, theirs, direction, seed, trials=15) > 0


@pytest.mark.parametrize("factor", [2, 3])
@given(SEEDS, DIRECTIONS)
@settings(max_examples=5)
def test_hyperband_decides_as_optuna_in_turn(factor, seed, direction):
    """The same brackets by the same hash, and the same halving within each."""
    ours = Pruner(
        algorithm=PrunerAlgorithm.HYPERBAND,
        min_resource=1,
        max_resource=27,
        reduction_factor=factor,
    )
    theirs = optuna.pruners.HyperbandPruner(1, 27, factor)
    assert run_in_turn(ours, theirs, direction, seed, trials=20) > 0
