"""The best trials side by side, and what they have in common."""

from kubetune.domain.space import Choice, Double, Integer
from kubetune.domain.study import StudySpec
from kubetune.domain.trial import Trial
from kubetune.domain.values import Value
from kubetune.report.findings import Findings
from kubetune.report.markdown import figure

SIZE = 5
"""So many trials are called the top."""


def top(findings: Findings) -> tuple[Trial, ...]:
    """The best complete trials, or the head of the Pareto front; at most `SIZE`."""
    return (findings.front if findings.several else findings.ranked)[:SIZE]


def agreed(name: str, trials: tuple[Trial, ...]) -> Value | None:
    """The value that a parameter has in all of these trials, active in each; else None."""
    if not trials or any(name not in trial.active for trial in trials):
        return None
    values = {trial.parameters[name] for trial in trials}
    return values.pop() if len(values) == 1 else None


def in_common(name: str, trials: tuple[Trial, ...]) -> str:
    """What the trials share in one parameter, in a few words; empty for nothing, or one trial."""
    if len(trials) == 1:
        return ""
    same = agreed(name, trials)
    if same is not None:
        return f"all {figure(same)}"
    values = [trial.parameters[name] for trial in trials if name in trial.active]
    numbers = [
        value for value in values if isinstance(value, int | float) and not isinstance(value, bool)
    ]
    if len(values) < len(trials) or len(numbers) < len(values):
        return ""
    return f"{figure(min(numbers))} to {figure(max(numbers))}"


def bounds(spec: StudySpec, name: str) -> str:
    """A parameter's range in words; empty when the manifest is not at hand."""
    found = next((item for item in spec.space.parameters if item.name == name), None)
    match found:
        case Double() | Integer():
            return f"{figure(found.low)} to {figure(found.high)}"
        case Choice():
            return ", ".join(figure(value) for value in found.values)
        case None:
            return ""
