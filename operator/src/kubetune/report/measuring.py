"""Works out which parameters decide how a trial does, and what chance makes of as many trials."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from kubetune.domain import axes, curves
from kubetune.domain.reasons import FAULTLESS, TrialReason
from kubetune.domain.space import Choice, Double, Parameter
from kubetune.domain.study import Direction, StudySpec
from kubetune.domain.trial import Stage, Trial, TrialState
from kubetune.domain.values import Value
from kubetune.report import forest
from kubetune.report.forest import Floats, Forest, Ints
from kubetune.report.importance import LEAST, Importance, Importances, Pair
from kubetune.report.parameters import searched

CELLS = 16
"""A range is looked at in so many equal parts, on its own scale."""

SHADOWS = 8
"""At least so many shuffled parameters show what chance gives."""

FOR_LUCK = 1.5
"""So many times what shuffled parameters reach: the largest of a few is a matter of luck."""

NEIGHBOURS = 8
"""So many trials drawn one after the other are shuffled among each other. A sampler drifts: late
trials are good, and have much else in common. What only drifted along is no more than a shadow
that drifts as well."""

FAR = 1.5
"""Values worse than the third quarter by more than so many ranges between quarters count as that
far: one trial of 1e30 would be all there is to explain."""

TOP = 5
"""So many of the leading parameters are looked at in pairs."""

NEAR_BEST = 0.1
"""A part of a range is among the best when it is this near to it, as a share of all there is."""


def importances(spec: StudySpec, trials: Sequence[Trial]) -> tuple[Importances, ...]:
    """One for each objective of which enough is known."""
    found = (_of(spec, trials, index) for index in range(len(spec.objectives)))
    return tuple(one for one in found if one)


def _scores(spec: StudySpec, trials: Sequence[Trial], index: int) -> tuple[list[Trial], Floats]:
    """Trials of the search that say something of one objective, and how bad each was.

    Values are cut off at some distance; what was stopped early or failed by its own fault is
    as bad as the worst value. Where that is most trials, the order counts in place of values.
    """
    known = [
        (trial, key)
        for trial in trials
        if trial.stage is Stage.SEARCH and (key := _key(spec, trial, index)) is not None
    ]
    keys = [key for _, key in known]
    valued = np.array([key[1] for key in keys if key[0] == 0])
    if 2 * len(valued) < len(keys):
        order = sorted(keys)
        scores = [float(order.index(key)) for key in keys]
    elif len(valued):
        quarter, three = np.quantile(valued, (0.25, 0.75))
        reach = FAR * (three - quarter)
        worst = min(float(valued.max()), float(three + reach))
        best = max(float(valued.min()), float(quarter - reach))
        scores = [min(max(key[1], best), worst) if key[0] == 0 else worst for key in keys]
    else:
        scores = []
    return [trial for trial, _ in known], np.array(scores)


def _key(spec: StudySpec, trial: Trial, index: int) -> tuple[float, ...] | None:
    """Less is better; None for a trial that says nothing."""
    outcome, objective = trial.outcome, spec.objectives[index]
    if outcome is None:
        return None
    sign = 1.0 if objective.direction is Direction.MINIMIZE else -1.0
    if outcome.values:
        return (0, sign * outcome.values[index])
    if outcome.state is TrialState.PRUNED:
        curve = curves.objective_curve(trial, objective.metric)
        value = curves.summarise(curve, objective)
        if value is None:
            return None
        if outcome.reason is TrialReason.PATIENCE_EXHAUSTED:
            return (0, sign * value)
        return (1, -curve[-1][0], sign * value)
    return None if outcome.reason in FAULTLESS else (2,)


def _of(spec: StudySpec, trials: Sequence[Trial], index: int) -> Importances | None:
    known, scores = _scores(spec, trials, index)
    found = _axes(spec, known)
    if len(known) < LEAST or not scores.std() > 0 or not found:
        return None
    parameters = [parameter for parameter, _, _ in found]
    grid = [axis for _, axis, _ in found]
    cells = np.stack([column for _, _, column in found], axis=1)
    sources = [place % len(grid) for place in range(max(len(grid), SHADOWS))]
    random = np.random.default_rng(1)
    shadows = [_shuffled(cells[:, source], random) for source in sources]
    turns = NEIGHBOURS * np.arange(len(known)) // len(known)
    when = forest.Axis(np.full(NEIGHBOURS, 1 / NEIGHBOURS), ordered=True)
    both = np.stack([*cells.T, *shadows, turns], axis=1)
    trees = forest.plant([*grid, *(grid[source] for source in sources), when], both, scores)
    return _told(spec.objectives[index].metric, parameters, grid, trees, len(known))


def _shuffled(column: Ints, random: np.random.Generator) -> Ints:
    """The same values, each within the trials that were drawn about when it was."""
    parts = range(0, len(column), NEIGHBOURS)
    return np.concatenate([random.permutation(column[at : at + NEIGHBOURS]) for at in parts])


def _told(
    metric: str,
    parameters: list[Parameter],
    grid: list[forest.Axis],
    trees: Forest,
    number: int,
) -> Importances:
    shares, means = trees.mains()
    average = shares.mean(axis=0)
    real = len(parameters)
    order = sorted(range(real), key=lambda index: (-average[index], index))
    told = [
        _importance(parameters[index], grid[index], means[index], shares[:, index])
        for index in order
    ]
    leading = order[:TOP]
    pairs = [
        Pair((parameters[one].name, parameters[other].name), trees.pair(one, other))
        for one, other in combinations(leading, 2)
    ]
    shadows = range(real, real + SHADOWS)
    blind = [trees.pair(one, shadow) for one in leading[:3] for shadow in shadows]
    return Importances(
        metric=metric,
        trials=number,
        explained=trees.explained,
        chance=FOR_LUCK * float(average[real:-1].max()),
        pair_chance=FOR_LUCK * max(blind),
        parameters=tuple(told),
        pairs=tuple(sorted(pairs, key=lambda pair: -pair.share)),
    )


def _importance(
    parameter: Parameter, axis: forest.Axis, means: Floats, shares: Floats
) -> Importance:
    values, ranged = _best(parameter, axis, means)
    low, high = np.quantile(shares, (0.1, 0.9))
    return Importance(parameter.name, float(shares.mean()), float(low), float(high), values, ranged)


def _best(parameter: Parameter, axis: forest.Axis, means: Floats) -> tuple[tuple[Value, ...], bool]:
    """Where trials did best: the values, and whether they are the two ends of a part."""
    number = len(axis.weights)
    listed = _listed(parameter)
    first = number - (len(listed) if listed else CELLS)
    active = means[first:number]
    limit = active.min() + NEAR_BEST * (active.max() - active.min())
    good = active <= limit
    if listed and not axis.ordered:
        return tuple(value for value, fine in zip(listed, good, strict=True) if fine), False
    low = high = int(active.argmin())
    while low > 0 and good[low - 1]:
        low -= 1
    while high + 1 < len(good) and good[high + 1]:
        high += 1
    if listed:
        return tuple(listed[low : high + 1]), False
    ends = (low / CELLS, (high + 1) / CELLS)
    return tuple(_at(parameter, end) for end in ends), True


def _at(parameter: Parameter, share: float) -> Value:
    """The value at a share of a range."""
    assert not isinstance(parameter, Choice)
    low, high = axes.scaled(parameter, parameter.low), axes.scaled(parameter, parameter.high)
    value = axes.unscaled(parameter, low + share * (high - low))
    return value if isinstance(parameter, Double) else round(value)


def _listed(parameter: Parameter) -> tuple[Value, ...] | None:
    """The values of a parameter that has few or no order; None for a range in parts."""
    values = axes.listed(parameter)
    if values is None or (len(values) > CELLS and axes.ordered(parameter)):
        return None
    return values


def _axes(spec: StudySpec, trials: Sequence[Trial]) -> list[tuple[Parameter, forest.Axis, Ints]]:
    """The parameters that differ between trials, each with its axis and every trial's cell.

    A parameter that is not active in some trial has a first cell for that, as large as the share
    of such trials.
    """
    found = []
    for parameter in searched(spec):
        cells = np.array([_cell(parameter, trial) for trial in trials], dtype=np.int64)
        if len(set(cells.tolist())) < 2:  # noqa: PLR2004 - one cell is no difference
            continue
        listed = _listed(parameter)
        number = len(listed) if listed else CELLS
        idle = float((cells < 0).mean())
        weights = np.full(number, (1.0 - idle) / number)
        if idle:
            weights, cells = np.insert(weights, 0, idle), cells + 1
        found.append((parameter, forest.Axis(weights, axes.ordered(parameter)), cells))
    return found


def _cell(parameter: Parameter, trial: Trial) -> int:
    """The cell of a trial's value: the nearest one of a value outside, -1 where not active."""
    if parameter.name not in trial.active or parameter.name not in trial.parameters:
        return -1
    value = trial.parameters[parameter.name]
    listed = _listed(parameter)
    if listed:
        return listed.index(value) if value in listed else _nearest(listed, value)
    assert not isinstance(parameter, Choice)
    inside = min(max(float(value), parameter.low), parameter.high)
    low, high = axes.scaled(parameter, parameter.low), axes.scaled(parameter, parameter.high)
    share = (axes.scaled(parameter, inside) - low) / (high - low) if high > low else 0.5
    return min(int(share * CELLS), CELLS - 1)


def _nearest(values: Sequence[Value], value: Value) -> int:
    """The place of the nearest number; of words, that a list does not hold, -1."""
    if isinstance(value, str) or any(isinstance(one, str) for one in values):
        return -1
    gaps = [abs(float(one) - float(value)) for one in values]
    return gaps.index(min(gaps))
