"""Overfitting: the training loss goes on falling while the objective gets worse again."""

from statistics import median

from kubetune.domain.curves import Curve, objective_curve
from kubetune.domain.marks import limits, series
from kubetune.domain.marks.mark import Mark, Marked
from kubetune.domain.study import Direction, Objective
from kubetune.domain.trial import Trial


def overfitting(objective: Objective, trial: Trial) -> Marked | None:
    """The objective's best value, when what came after it is worse by more than noise.

    It takes a training loss beside the objective: without one, nobody knows whether the model
    learned too much or forgot.
    """
    name, losses = series.first_of(trial, series.TRAINING_LOSSES, but=objective.metric)
    judged = series.finite(objective_curve(trial, objective.metric))
    if objective.metric == series.TRAINING_LOSSES[0] or len(judged) < limits.EVALUATIONS:
        return None
    costs = series.costs(judged, objective)
    best = min(range(len(costs)), key=lambda index: costs[index])
    after = len(costs) - best - 1
    if after < limits.AFTER_BEST:
        return None
    tail = min(after, max(limits.AFTER_BEST, int(len(costs) * limits.TAIL_SHARE)))
    end = median(costs[-tail:])
    scatter = series.noise(costs)
    chance = series.depth_of_best(scatter, len(costs)) + limits.SIGMAS * series.error_of_median(
        scatter, tail
    )
    if end - costs[best] <= max(chance, limits.MATERIAL * abs(costs[best])):
        return None
    fall = _fall(series.finite(losses), judged[best][0])
    if fall is None or not _apart(objective, (costs[best], end), fall):
        return None
    (step, value), ended = judged[best], series.sign(objective) * end
    message = (
        f"{objective.metric} was best at step {step:.6g} with {value:.6g} and ended at {ended:.6g},"
        f" while {name} fell from {fall[0]:.6g} to {fall[1]:.6g}"
    )
    return Marked(Mark.OVERFITTING, step, message)


def _fall(losses: Curve, step: float) -> tuple[float, float] | None:
    """The training loss about a step and at the end; None when it hardly falls between."""
    before = [value for at, value in losses if at <= step][-limits.START :]
    after = [value for at, value in losses if at > step][-limits.START :]
    if not before or len(after) < limits.START:
        return None
    here, end = median(before), median(after)
    return (here, end) if here - end > limits.MATERIAL * abs(here) else None


def _apart(objective: Objective, judged: tuple[float, float], losses: tuple[float, float]) -> bool:
    """Whether two losses that can be compared have come apart; true of any other objective."""
    if objective.direction is not Direction.MINIMIZE or "loss" not in objective.metric:
        return True
    gaps = [(value - loss) / loss for value, loss in zip(judged, losses, strict=True) if loss > 0]
    return len(gaps) == len(judged) and gaps[1] > max(limits.GAP, gaps[0])
