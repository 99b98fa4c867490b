"""Optuna's own figures of a study, over a study in memory that has the real parameters.

The mirror for samplers knows coordinates; people want ranges, scales and words as the manifest
has them.
"""

import math
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import optuna
from optuna.distributions import BaseDistribution, json_to_distribution
from optuna.study import Study, StudyDirection
from optuna.trial import FrozenTrial, create_trial
from optuna.trial import TrialState as OptunaState

from kubetune.adapters.optuna.distributions import distribution_json
from kubetune.adapters.optuna.rows import constraint_names
from kubetune.domain import curves
from kubetune.domain.space import Parameter
from kubetune.domain.study import Direction, StudySpec
from kubetune.domain.trial import Trial, TrialState

COLOURS = {
    OptunaState.COMPLETE: "#0072b2",
    OptunaState.PRUNED: "#e69f00",
    OptunaState.FAIL: "#c1272d",
    OptunaState.RUNNING: "#9a9a9a",
}

POINTS = 200
"""A curve of more points looks the same with these."""

SHOWN = 12
"""So many parameters side by side can still be read."""

_STATES = {
    TrialState.RUNNING: OptunaState.RUNNING,
    TrialState.COMPLETE: OptunaState.COMPLETE,
    TrialState.INFEASIBLE: OptunaState.COMPLETE,
    TrialState.PRUNED: OptunaState.PRUNED,
    TrialState.FAILED: OptunaState.FAIL,
}


def figures(
    spec: StudySpec, trials: Sequence[Trial], parameters: Sequence[Parameter]
) -> Mapping[str, Callable[[], Any]]:
    """Plotly's figures by name of plot, each made when it is called.

    `parameters` are the searched ones, the most important first.
    """
    study = as_optuna(spec, trials, parameters)
    complete = study.get_trials(deepcopy=False, states=(OptunaState.COMPLETE,))
    times = Counter(name for trial in complete for name in trial.params)
    names = [item.name for item in parameters if times[item.name]]
    always = [name for name in names if times[name] == len(complete)]
    target = _target(spec)
    made: dict[str, Callable[[], Any]] = {
        "history": partial(_history, study, spec, trials),
        "curves": partial(_curves, study, spec.objective.metric),
    }
    if len(always) > 1:  # Optuna leaves out a trial that has not all of them
        made["parallel"] = partial(
            _plot, "plot_parallel_coordinate", study, params=always[:SHOWN], **target
        )
    if len(names) > 1:
        made["contour"] = partial(_plot, "plot_contour", study, params=names[:2], **target)
    if names:
        made["slices"] = partial(_plot, "plot_slice", study, params=names[:SHOWN], **target)
    if len(spec.objectives) > 1:
        labels = [item.metric for item in spec.objectives]
        made["pareto"] = partial(_plot, "plot_pareto_front", study, target_names=labels)
    return made


def as_optuna(spec: StudySpec, trials: Sequence[Trial], parameters: Sequence[Parameter]) -> Study:
    """The study in memory, with real parameters, values, curves, constraints and times."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    directions = [
        StudyDirection.MINIMIZE if item.direction is Direction.MINIMIZE else StudyDirection.MAXIMIZE
        for item in spec.objectives
    ]
    study = optuna.create_study(directions=directions, study_name=spec.name)
    if len(directions) > 1:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
            study.set_metric_names([item.metric for item in spec.objectives])
    known = {
        parameter.name: json_to_distribution(distribution_json(parameter))
        for parameter in parameters
    }
    study.add_trials([_frozen(spec, trial, known) for trial in trials])
    return study


def _frozen(spec: StudySpec, trial: Trial, known: Mapping[str, BaseDistribution]) -> FrozenTrial:
    outcome = trial.outcome
    held = {
        name: trial.parameters[name]
        for name, item in known.items()
        if name in trial.active
        and name in trial.parameters
        and _holds(item, trial.parameters[name])
    }
    curve = _curve(spec, trial)
    state = _STATES[trial.state]
    values: Sequence[float] | None = None
    if outcome and outcome.values and state is OptunaState.COMPLETE:
        values = outcome.values
    elif state is OptunaState.COMPLETE:
        state = OptunaState.FAIL
    constraints = None
    if outcome and outcome.constraints:
        constraints = dict(zip(constraint_names(spec), outcome.constraints, strict=False))
    frozen = create_trial(
        state=state,
        values=values,
        params=held,
        distributions={name: known[name] for name in held},
        intermediate_values=curve,
        constraints=constraints,
    )
    frozen.datetime_start = _time(trial.started_at or trial.created_at)
    if trial.state.ended:
        frozen.datetime_complete = _time(trial.ended_at or trial.started_at or trial.created_at)
    return frozen


def _holds(item: BaseDistribution, value: Any) -> bool:
    """Whether a distribution holds a value; an initial trial's may lie outside."""
    try:
        return bool(item._contains(item.to_internal_repr(value)))  # noqa: SLF001 - Optuna has no public way
    except (ValueError, TypeError):
        return False


def _curve(spec: StudySpec, trial: Trial) -> dict[int, float]:
    """Some points of the curve by whole steps, for Optuna knows no others; finite ones alone."""
    found = [
        (step, value)
        for step, value in curves.objective_curve(trial, spec.objective.metric)
        if math.isfinite(value)
    ]
    stride = max(1, -(-len(found) // POINTS))
    return {int(step): value for step, value in [*found[::stride], *found[-1:]]}


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None)


def _target(spec: StudySpec) -> dict[str, Any]:
    """With several objectives, plots over parameters show the first."""
    metric = spec.objective.metric
    if len(spec.objectives) == 1:
        return {"target_name": metric}
    return {"target": lambda trial: trial.values[0], "target_name": metric}


def _plot(name: str, study: Study, **arguments: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return getattr(optuna.visualization, name)(study, **arguments)


def _history(study: Study, spec: StudySpec, trials: Sequence[Trial]) -> Any:
    drawn = _plot("plot_optimization_history", study, **_target(spec))
    baseline = next((trial for trial in trials if trial.baseline), None)
    if baseline and baseline.value is not None:
        drawn.add_hline(
            y=baseline.value, line_dash="dash", line_color="#009e73", annotation_text="baseline"
        )
    return drawn


def _curves(study: Study, metric: str) -> Any:
    """Optuna's curves and those of failed trials, coloured by end; a legend entry for each end."""
    drawn = _plot("plot_intermediate_values", study)
    drawn.update_layout(yaxis_title=metric)
    for trial in study.get_trials(deepcopy=False, states=(OptunaState.FAIL,)):
        steps, values = [*trial.intermediate_values], [*trial.intermediate_values.values()]
        if steps:
            drawn.add_scatter(x=steps, y=values, mode="lines+markers", name=f"Trial{trial.number}")
    states = {f"Trial{trial.number}": trial.state for trial in study.get_trials(deepcopy=False)}
    named: set[OptunaState] = set()
    for trace in drawn.data:
        state = states.get(str(trace.name).removesuffix(" (Infeasible)"))
        if state is None:
            continue
        trace.update(
            line={"color": COLOURS.get(state, "#9a9a9a"), "width": 1},
            marker={"size": 3},
            opacity=0.6,
            hovertext=trace.name,
            legendgroup=state.name,
            name=state.name.capitalize(),
            showlegend=state not in named,
        )
        named.add(state)
    return drawn
