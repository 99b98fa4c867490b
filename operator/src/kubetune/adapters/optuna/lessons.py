"""What a sampler is taught by a trial."""

from enum import StrEnum

from kubetune.adapters.optuna.records import Record
from kubetune.domain.reasons import FAULTLESS
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
