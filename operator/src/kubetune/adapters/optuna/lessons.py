"""What a sampler is taught by a trial."""

from collections.abc import Sequence
from enum import StrEnum

from kubetune.adapters.optuna.records import Record
from kubetune.domain.reasons import FAULTLESS
from kubetune.domain.study import Direction, SamplerAlgorithm, StudySpec
from kubetune.domain.trial import Stage, Trial, TrialState


class Lesson(StrEnum):
    """How a trial counts for the sampler.

    RUNNING: a place that is being tried. VALUED: it has values, and constraints where there are
    any. CUT: it was pruned, its curve counts. AVOID: the configuration failed by its own fault; a
    model that weighs pruned trials keeps away from it. NOTHING: the failure was not its own.
    """

    RUNNING = "running"
    VALUED = "valued"
    CUT = "cut"
    AVOID = "avoid"
    NOTHING = "nothing"


def taught(record: Record) -> Lesson:
    """How a trial counts for the phase that looks at it: only its own search, and what is near."""
    if record.outside or record.trial.stage is not Stage.SEARCH:
        return Lesson.NOTHING
    return lesson(record.trial)


def lesson(trial: Trial) -> Lesson:
    """How a trial counts."""
    outcome = trial.outcome
    if outcome is None:
        return Lesson.RUNNING
    match outcome.state:
        case TrialState.PRUNED:
            return Lesson.CUT
        case TrialState.FAILED if outcome.reason in FAULTLESS:
            return Lesson.NOTHING
        case _ if outcome.values:
            return Lesson.VALUED
        case _:
            return Lesson.AVOID


def imputes_cuts(spec: StudySpec) -> bool:
    """Whether trials without a value count as the worst of those that have one.

    A Gaussian process fits values alone: a place where trials are cut would look untried to it,
    and be drawn again and again. Of several objectives nothing says which of them were bad.
    """
    return spec.sampler.algorithm is SamplerAlgorithm.GP and len(spec.objectives) == 1


def imputed(known: Sequence[float], direction: Direction) -> float:
    """What a trial without a value counts as beside these, of which there is at least one.

    It is the worst of them; where all are alike a worse one, or a cut would be as good as the best.
    """
    sign = 1.0 if direction is Direction.MINIMIZE else -1.0
    worst = max(known, key=lambda value: sign * value)
    alike = min(known) == max(known)
    return worst + sign * max(1.0, abs(worst)) if alike else worst
