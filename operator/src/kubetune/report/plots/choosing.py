"""Which trials and parameters a plot over parameters shows."""

from kubetune.domain.space import Choice, Parameter
from kubetune.domain.trial import Trial, TrialState
from kubetune.report import parameters
from kubetune.report.findings import Findings


def valued(findings: Findings, index: int = 0) -> list[tuple[Trial, float]]:
    """Trials that have a value of an objective, Complete or Infeasible."""
    return [
        (trial, trial.outcome.values[index])
        for trial in findings.trials
        if trial.outcome
        and trial.state in {TrialState.COMPLETE, TrialState.INFEASIBLE}
        and len(trial.outcome.values) > index
    ]


def searched(findings: Findings, most: int | None = None) -> list[Parameter]:
    """Parameters of more than one value: the most important first, at most so many."""
    items = [item for item in findings.parameters if not _single(item)]
    leading = findings.importances[0].parameters if findings.importances else ()
    return parameters.named(items, [one.name for one in leading])[:most]


def cut(findings: Findings, shown: int) -> str:
    """The note that not every parameter is shown; empty when all are."""
    number = len(findings.parameters)
    return f", {shown} of {number} parameters" if shown < number else ""


def _single(parameter: Parameter) -> bool:
    if isinstance(parameter, Choice):
        return len(parameter.values) < 2  # noqa: PLR2004 - one value is no choice
    return not parameter.low < parameter.high
