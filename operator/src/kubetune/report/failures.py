"""Trials that came to nothing, grouped by why, and those that trained badly, by how."""

from dataclasses import dataclass

from kubetune.domain.marks import Mark
from kubetune.domain.reasons import TrialReason
from kubetune.domain.trial import Trial, TrialState
from kubetune.report.findings import Findings, cancelled


@dataclass(frozen=True, slots=True)
class Group:
    """Trials that ended for the same reason, in order; at least one."""

    reason: TrialReason
    trials: tuple[Trial, ...]

    @property
    def example(self) -> Trial:
        """The first trial that says something, else the first."""
        said = (trial for trial in self.trials if trial.outcome and trial.outcome.message)
        return next(said, self.trials[0])


@dataclass(frozen=True, slots=True)
class Mode:
    """Trials that bear a mark, in order, at least one; and the words of the first."""

    mark: Mark
    trials: tuple[Trial, ...]
    message: str


def modes(findings: Findings) -> tuple[Mode, ...]:
    """Ended trials by mark, most frequent first: of any state, not those cancelled."""
    found: dict[Mark, list[tuple[Trial, str]]] = {}
    for trial in findings.ended:
        for marked in findings.marks.get(trial.number, ()):
            found.setdefault(marked.mark, []).append((trial, marked.message))
    ordered = sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0].value))
    return tuple(
        Mode(mark, tuple(trial for trial, _ in entries), entries[0][1]) for mark, entries in ordered
    )


def failures(findings: Findings) -> tuple[Group, ...]:
    """Failed and infeasible trials by reason, most frequent first; not those cancelled."""
    return groups(findings, TrialState.FAILED, TrialState.INFEASIBLE)


def pruned(findings: Findings) -> tuple[Group, ...]:
    """Pruned trials by reason, most frequent first."""
    return groups(findings, TrialState.PRUNED)


def groups(findings: Findings, *states: TrialState) -> tuple[Group, ...]:
    """Trials in these states by reason, most frequent first."""
    found: dict[TrialReason, list[Trial]] = {}
    for trial in findings.trials:
        if trial.outcome and trial.state in states and not cancelled(trial):
            found.setdefault(trial.outcome.reason, []).append(trial)
    ordered = sorted(found.items(), key=lambda entry: (-len(entry[1]), entry[0].value))
    return tuple(Group(reason, tuple(trials)) for reason, trials in ordered)
