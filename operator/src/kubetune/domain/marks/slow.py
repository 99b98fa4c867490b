"""SlowConvergence: a trial that came a small part of the way that finished trials had come."""

from kubetune.domain.marks import limits, series
from kubetune.domain.marks.mark import Mark, Marked
from kubetune.domain.marks.peers import Course, Peers, Usual
from kubetune.domain.study import Objective

_HAIR = 1e-9
"""Ten values at steps 0.1, 0.2 ... begin at a tenth of their course, but for rounding."""


def slow(objective: Objective, course: Course | None, peers: Peers) -> Marked | None:
    """Compared at the trial's last step.

    The way begins at the trial's first value, or at the peers' if that is worse; the first value
    must have come early, or nobody knows where the trial began. Where peers got no better than
    they differ there is no way: all had learned before they reported, or the objective, such as a
    duration, is none that is learned.
    """
    if course is None or len(course.steps) < limits.SLOW_POINTS:
        return None
    step, own = course.steps[-1], course.stood[-1]
    usual = peers.at(step, but=course.number)
    if usual is None or step < limits.MATURE * usual.length:
        return None
    scatter = max(course.noise, usual.noise)
    chance = series.depth_of_best(scatter, len(course.steps)) + limits.SIGMAS * scatter
    if usual.gain <= max(chance, usual.spread):
        return None
    sign = series.sign(objective)
    if _short_way(course, usual, chance):
        message = f"came from {sign * course.first:.6g} to {sign * own:.6g} by step {step:.6g}"
        others = f"to {sign * usual.value:.6g}"
    elif _far_behind(course, usual, chance):
        message = f"stood at {sign * own:.6g} at step {step:.6g}"
        others = f"at {sign * usual.first:.6g} at step {usual.began:.6g}"
    else:
        return None
    message = f"{objective.metric} {message}, the median of {usual.count} finished trials {others}"
    return Marked(Mark.SLOW_CONVERGENCE, step, message)


def _short_way(course: Course, usual: Usual, chance: float) -> bool:
    """Whether it came a small part of the way from where training began."""
    base = max(course.first, usual.first)
    way = base - usual.value
    early = course.steps[0] <= limits.EARLY * course.steps[-1] * (1.0 + _HAIR)
    return early and way > chance and base - course.stood[-1] < limits.SLOW_SHARE * way


def _far_behind(course: Course, usual: Usual, chance: float) -> bool:
    """Whether it ends worse than its peers began, by more than they differ among themselves."""
    early = usual.began <= limits.EARLY * course.steps[-1] * (1.0 + _HAIR)
    behind = course.stood[-1] - usual.first
    return early and behind > max(chance, limits.SIGMAS * usual.spread)
