"""What pruning saved."""

from dataclasses import dataclass

from kubetune.domain.trial import Trial, TrialState
from kubetune.report.findings import Findings


@dataclass(frozen=True, slots=True)
class Savings:
    """Steps that pruned trials did not run, of all steps that would have run without pruning."""

    saved: float
    of: float


def savings(findings: Findings) -> Savings | None:
    """None when nothing was pruned, or when it is unknown how long the trials would have been.

    A trial's full length is the pruner's `max_resource`; without one, the length that all
    complete trials have in common.
    """
    full = _full_length(findings)
    if full is None:
        return None
    ran = saved = 0.0
    for trial in findings.ended:
        if not trial.curve:
            continue
        length = _length(trial)
        ran += length
        if trial.state is TrialState.PRUNED:
            saved += max(full - length, 0.0)
    return Savings(saved, ran + saved) if saved else None


def _full_length(findings: Findings) -> float | None:
    limit = findings.spec.pruner.max_resource
    if limit is not None:
        return limit
    complete = (trial for trial in findings.trials if trial.state is TrialState.COMPLETE)
    lengths = {_length(trial) for trial in complete if trial.curve}
    return lengths.pop() if len(lengths) == 1 else None


def _length(trial: Trial) -> float:
    return trial.curve[-1].step
