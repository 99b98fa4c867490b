"""Pruning: laws that hold for every history."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kubetune.domain import curves, pruning
from kubetune.domain.pruners import rungs
from kubetune.domain.study import Direction, Objective, Patience, Pruner, PrunerAlgorithm, Summary
from kubetune.domain.trial import Point, Trial, TrialState
from tests.builders import make_field, make_outcome, make_study, make_trial

VALUES = st.integers(-20, 20).map(lambda n: n / 8)


def prune(spec, trial, peers):
    """The verdict over a trial among its peers."""
    return pruning.prune(spec, trial, make_field(spec, trial, peers))


@st.composite
def curve(draw: st.DrawFn) -> tuple[Point, ...]:
    steps = sorted(draw(st.sets(st.integers(1, 30), min_size=1, max_size=8)))
    return tuple(Point(float(step), {"accuracy": draw(VALUES)}) for step in steps)


@st.composite
def histories(draw: st.DrawFn) -> list[Trial]:
    """Trials in any state, with curves of any steps."""
    trials = []
    for number in range(draw(st.integers(1, 9))):
        points = draw(curve())
        state = draw(st.sampled_from(list(TrialState)))
        outcome = None
        if state.ended:
            has_value = state in {TrialState.COMPLETE, TrialState.INFEASIBLE}
            value = max(point.metrics["accuracy"] for point in points) if has_value else None
            outcome = make_outcome(value, state=state)
        trials.append(make_trial(number, outcome=outcome, curve=points))
    return trials


@st.composite
def pruners(draw: st.DrawFn) -> Pruner:
    patience = st.none() | st.builds(
        Patience, evaluations=st.integers(1, 4), min_delta=st.sampled_from([0.0, 0.25])
    )
    return Pruner(
        algorithm=draw(st.sampled_from(list(PrunerAlgorithm))),
        min_resource=draw(st.sampled_from([1, 2])),
        max_resource=draw(st.sampled_from([None, 9, 27])),
        reduction_factor=draw(st.integers(2, 4)),
        percentile=draw(st.sampled_from([10.0, 25.0, 75.0])),
        startup_trials=draw(st.integers(0, 3)),
        warmup_steps=draw(st.sampled_from([0, 5])),
        lower=draw(st.none() | VALUES),
        patience=draw(patience),
    )


def make_spec(pruner: Pruner, direction: Direction = Direction.MAXIMIZE, **changes):
    objective = Objective(metric="accuracy", direction=direction, **changes)
    return make_study(pruner=pruner, objectives=(objective,))


@given(histories(), pruners(), st.randoms(use_true_random=False))
def test_the_order_of_peers_does_not_matter(trials, pruner, random):
    """A decision depends on the set of trials alone, and asking twice changes nothing."""
    spec = make_spec(pruner)
    shuffled = random.sample(trials, len(trials))
    for trial in trials:
        verdict = prune(spec, trial, trials)
        assert verdict == prune(spec, trial, shuffled)
        assert verdict is None or verdict.state is TrialState.PRUNED


@given(histories(), pruners())
def test_minimising_the_negative_decides_the_same(trials, pruner):
    """Directions are mirror images of each other."""

    def mirror(trial: Trial) -> Trial:
        points = tuple(
            Point(point.step, {"accuracy": -point.metrics["accuracy"]}) for point in trial.curve
        )
        outcome = trial.outcome and replace(
            trial.outcome, values=tuple(-value for value in trial.outcome.values)
        )
        return replace(trial, curve=points, outcome=outcome)

    bounds = {"lower": None, "upper": None if pruner.lower is None else -pruner.lower}
    mirrored = [mirror(trial) for trial in trials]
    down = make_spec(replace(pruner, **bounds), Direction.MINIMIZE)
    for trial, twin in zip(trials, mirrored, strict=True):
        verdict = prune(make_spec(pruner), trial, trials)
        assert (verdict is None) is (prune(down, twin, mirrored) is None)


@given(histories(), st.integers(2, 4), st.sampled_from(list(Summary)))
def test_a_rung_keeps_its_best_share_and_never_its_leader(trials, factor, summary):
    """Of n trials at a rung at least max(1, n // factor) go on, more only when they are equal."""
    pruner = Pruner(algorithm=PrunerAlgorithm.ASHA, reduction_factor=factor)
    spec = make_spec(pruner, summary=summary)
    trials = [trial for trial in trials if trial.state is not TrialState.INFEASIBLE]
    for rung in rungs.rung_steps(pruner, 30):
        at_rung = {}
        for trial in trials:
            value = curves.value_at(trial.curve, spec.objective, rung)
            if value is not None:
                at_rung[trial.number] = value
        standing = [
            trial
            for trial in trials
            if trial.number in at_rung and trial.curve[-1].step < rung * factor
        ]
        kept = [trial for trial in standing if prune(spec, trial, trials) is None]
        share = max(1, len(at_rung) // factor)
        limit = sorted(at_rung.values(), reverse=True)[share - 1] if at_rung else 0.0
        assert {trial.number for trial in kept} == {
            trial.number for trial in standing if at_rung[trial.number] >= limit
        }


@given(histories(), pruners())
def test_a_trial_at_its_end_is_left_alone(trials, pruner):
    """From max_resource on nothing is pruned, by whatever rule."""
    spec = make_spec(replace(pruner, max_resource=9))
    for trial in trials:
        if trial.curve[-1].step >= 9:
            assert prune(spec, trial, trials) is None
