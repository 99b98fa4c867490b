"""The study as Optuna's figures see it."""

from optuna.trial import TrialState as OptunaState

from kubetune.adapters.optuna.figures import as_optuna, figures
from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import TrialState
from tests.builders import make_outcome, make_points
from tests.unit.report import made


def seen(*trials, **changes):
    spec = made.study(**changes)
    return as_optuna(spec, trials, spec.space.parameters).get_trials(deepcopy=False)


def test_real_parameters_and_scales():
    """Ranges as in the manifest, not coordinates; inactive ones are absent."""
    (trial,) = seen(made.trial(0, 0.5, rate=0.02, width=32))
    assert trial.params == {"rate": 0.02, "kind": "plain", "width": 32}
    assert trial.distributions["rate"].log
    assert trial.distributions["width"].choices == (8, 16, 32)


def test_a_value_outside_its_range_is_left_out():
    """An initial trial may lie there; Optuna would refuse it."""
    (trial,) = seen(made.trial(0, 0.5, rate=7.0, kind="strange"))
    assert trial.params == {"width": 16}


def test_states_values_and_curves():
    """An infeasible trial is complete with its constraint; a curve is finite numbers."""
    broken = make_outcome(
        0.5, state=TrialState.INFEASIBLE, reason=TrialReason.OUTCOME_CONSTRAINT_BROKEN
    )
    trials = seen(
        made.trial(0, 0.5, curve=make_points(0.1, float("nan"), 0.5)),
        made.pruned(1),
        made.failed(2, TrialReason.CRASHED),
        made.trial(3),
        made.trial(4, outcome=broken),
    )
    assert [trial.state for trial in trials] == [
        OptunaState.COMPLETE,
        OptunaState.PRUNED,
        OptunaState.FAIL,
        OptunaState.RUNNING,
        OptunaState.COMPLETE,
    ]
    assert trials[0].intermediate_values == {1: 0.1, 3: 0.5}
    assert trials[0].datetime_complete > trials[0].datetime_start


def test_a_long_curve_is_thinned():
    """Ten thousand points look like two hundred, and the last is kept."""
    (trial,) = seen(made.trial(0, 0.5, curve=make_points(*range(10_000))))
    assert len(trial.intermediate_values) <= 202
    assert trial.intermediate_values[10_000] == 9_999


def test_curves_are_coloured_by_end():
    """One entry in the legend for each end, whatever the number of trials."""
    spec = made.study()
    drawn = figures(spec, made.trials(), spec.space.parameters)["curves"]()
    named = [trace.name for trace in drawn.data if trace.showlegend]
    assert sorted(named) == ["Complete", "Fail", "Pruned"]


def test_the_baseline_is_a_line():
    """History shows what everything is compared with."""
    spec = made.study()
    drawn = figures(spec, made.trials(), spec.space.parameters)["history"]()
    assert [shape.y0 for shape in drawn.layout.shapes] == [0.81]


def test_which_figures_there_are():
    """One parameter has no contour, one objective no front; of no trial there are no slices."""
    spec = made.study()
    one = spec.space.parameters[:1]
    assert set(figures(spec, made.trials(), one)) == {"history", "curves", "slices"}
    assert set(figures(spec, (), one)) == {"history", "curves"}
    two = made.study(objectives=made.TWO)
    assert "pareto" in figures(two, (), two.space.parameters)
