"""SlowConvergence: a trial that came a small part of the way that finished trials had come."""

from kubetune.domain.marks import limits, series
from kubetune.domain.marks.mark import Mark, Marked
from kubetune.domain.marks.peers import Course, Peers
from kubetune.domain.study import Objective

_HAIR = 1e-9
"""Ten values at steps 0.1, 0.2 ... begin at a tenth of their course, but for rounding."""


def slow(objective: Objective, course: Course | None, peers: Peers) -> Marked | None:
    """Compared at the trial's last step.

    The way begins at the trial's first value, or at the peers' if that is worse; the first value
    must have come early, or nobody knows where the trial began. An objective that does not get
    better as its peers train, such as a duration, has no way.
    """
    if course is None:
        return None
    step = course.steps[-1]
    early = course.steps[0] <= limits.EARLY * step * (1.0 + _HAIR)
    if len(course.steps) < limits.SLOW_POINTS or not early:
        return None
    usual = peers.at(step, but=course.number)
    if usual is None or step < limits.MATURE * usual.length:
        return None
    own, base = course.stood[-1], max(course.first, usual.first)
    way = base - usual.value
    scatter = max(course.noise, usual.noise)
    chance = series.depth_of_best(scatter, len(course.steps)) + limits.SIGMAS * scatter
    if min(way, usual.gain) <= chance or base - own >= limits.SLOW_SHARE * way:
        return None
    sign = series.sign(objective)
    message = (
        f"{objective.metric} came from {sign * course.first:.6g} to {sign * own:.6g} by step"
        f" {step:.6g}, the median of {usual.count} finished trials to {sign * usual.value:.6g}"
    )
    return Marked(Mark.SLOW_CONVERGENCE, step, message)
