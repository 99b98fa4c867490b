"""Pruning: whether a running trial is worth going on with, judged by curves alone.

Nothing is remembered between two calls: every rung, percentile and test is derived again from the
trials as they are stored, so a restart changes no decision.
"""

from collections.abc import Callable

from kubetune.domain.pruners import patience, percentile, rungs, threshold, wilcoxon
from kubetune.domain.pruners.field import Field
from kubetune.domain.reasons import TrialReason
from kubetune.domain.study import PrunerAlgorithm, StudySpec
from kubetune.domain.trial import Stage, Trial, TrialState
from kubetune.domain.verdict import Verdict

_PRUNERS: dict[PrunerAlgorithm, Callable[[StudySpec, Trial, Field], str | None]] = {
    PrunerAlgorithm.MEDIAN: percentile.median,
    PrunerAlgorithm.PERCENTILE: percentile.percentile,
    PrunerAlgorithm.ASHA: rungs.asha,
    PrunerAlgorithm.HYPERBAND: rungs.hyperband,
    PrunerAlgorithm.THRESHOLD: threshold.threshold,
    PrunerAlgorithm.WILCOXON: wilcoxon.wilcoxon,
}


def prune(spec: StudySpec, trial: Trial, field: Field) -> Verdict | None:
    """Pruned, with the figures, when the pruner or the trial's own patience says so.

    `trial.curve` includes the newest points; `field` holds all trials, this one as it is. Never
    pruned: a trial of a study with several objectives, a trial that has reached the pruner's
    `max_resource` (its work is done), the baseline (without its value there is nothing to compare
    with), a finalist, a trial that has reported no step but 0: what a model is before its first
    step says nothing of the parameters.
    """
    pruner = spec.pruner
    if len(spec.objectives) > 1 or trial.baseline or trial.stage is not Stage.SEARCH:
        return None
    step = trial.curve[-1].step if trial.curve else 0.0
    if step <= 0.0 or (pruner.max_resource is not None and step >= pruner.max_resource):
        return None
    judge = _PRUNERS.get(pruner.algorithm)
    if judge and (message := judge(spec, trial, field)):
        return Verdict(TrialState.PRUNED, TrialReason.PRUNED, message)
    if message := patience.patience(spec, trial):
        return Verdict(TrialState.PRUNED, TrialReason.PATIENCE_EXHAUSTED, message)
    return None
