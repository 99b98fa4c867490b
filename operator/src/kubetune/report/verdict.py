"""What became of a study, in the first sentences of its report."""

from collections import Counter

from kubetune.domain import sentences
from kubetune.domain.study import Direction
from kubetune.domain.trial import Trial
from kubetune.report.findings import Findings
from kubetune.report.markdown import code, count, figure


def verdict(findings: Findings) -> str:
    """The one sentence that everybody reads."""
    best = findings.best
    if best is None or best.outcome is None:
        return _nothing(findings)
    if findings.several:
        metrics = " and ".join(code(item.metric) for item in findings.spec.objectives)
        if len(findings.front) == 1:
            return f"Trial {best.number} is the best in {metrics} at once."
        return (
            f"{count(len(findings.front), 'trial')} make up the Pareto front of {metrics}:"
            " none of them beats another in every objective."
        )
    objective = findings.spec.objective
    way = "more" if objective.direction is Direction.MAXIMIZE else "less"
    reached = f"{code(objective.metric)} {figure(best.value)} ({way} is better)"
    if told := sentences.finals(findings.spec, findings.finals):
        return f"Trial {best.number} won the finals ({way} is better): {told}."
    if best.baseline:
        return f"The baseline, trial {best.number}, is still the best: {reached}."
    return f"Trial {best.number} is the best: {reached}{_against(findings)}."


def standing(findings: Findings) -> str:
    """Counts, and whether the study has ended."""
    text = f"{sentences.counts(findings.counts)}."
    if findings.end:
        return f"{text} The study has ended ({findings.end.reason.value}): {findings.end.message}."
    if findings.counts.active or findings.status:
        return f"{text} The study has not ended."
    return text


def honesty(findings: Findings) -> str:
    """What the best figure is and is not; empty without one."""
    complete = findings.counts.complete
    if findings.best is None or complete < 2:  # noqa: PLR2004 - a choice takes two
        return ""
    if findings.finals.winner:
        return (
            "The figures of the finals come from other seeds than those that trials were chosen by:"
            f" the search had seen {figure(findings.best.value)} of the winner."
        )
    metrics = " and ".join(code(item.metric) for item in findings.spec.objectives)
    verb = "are what" if findings.several else "is what"
    return (
        f"{metrics} {verb} trials were chosen by, not a measurement on held-back data:"
        f" the best of {complete} complete trials looks a little better than it is."
    )


def _against(findings: Findings) -> str:
    baseline = findings.baseline
    if baseline is None:
        return ""
    if baseline.value is None or findings.improvement is None:
        return f"; the baseline (trial {baseline.number}) has no value: {_state(baseline)}"
    gain = sentences.percent(findings.improvement)
    if not baseline.value:
        gain = f"{findings.improvement:+.4g}"
    return f", {gain} on the baseline's {figure(baseline.value)} (trial {baseline.number})"


def _state(trial: Trial) -> str:
    reason = f", {trial.outcome.reason.value}" if trial.outcome else ""
    return f"{trial.state.value}{reason}"


def _nothing(findings: Findings) -> str:
    if not findings.trials:
        return "No trial has been drawn yet."
    states = Counter(trial.state.value for trial in findings.trials)
    listed = ", ".join(f"{number} {state}" for state, number in states.items())
    return f"No trial is Complete, so there is no best configuration: {listed}."
