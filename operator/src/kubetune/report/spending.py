"""What trials took of slots and GPUs, and how much of it went into those that ended badly."""

from dataclasses import dataclass

from kubetune.domain.course import imported
from kubetune.domain.trial import TrialState
from kubetune.report.findings import Findings, cancelled

BAD = (TrialState.FAILED, TrialState.INFEASIBLE)
"""Ends that bring nothing: a pruned trial cost what it had to."""


@dataclass(frozen=True, slots=True)
class Spent:
    """Trials that ended in one state, and their seconds on a slot, waits between attempts too."""

    state: TrialState
    trials: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Spending:
    """By state; `gpus` is how many a trial holds."""

    parts: tuple[Spent, ...]
    gpus: int

    @property
    def seconds(self) -> float:
        """All of it."""
        return sum(part.seconds for part in self.parts)

    @property
    def wasted(self) -> float:
        """Seconds of trials that failed or were infeasible."""
        return sum(part.seconds for part in self.parts if part.state in BAD)

    @property
    def wasted_share(self) -> float:
        """The same as a share of all."""
        return self.wasted / self.seconds if self.seconds else 0.0


def spending(findings: Findings) -> Spending:
    """Of ended trials; one that was cancelled with its study was no waste, and is left out."""
    parts = []
    for state in TrialState:
        these = [
            trial.seconds
            for trial in findings.trials
            if trial.state is state
            and trial.seconds is not None
            and not cancelled(trial)
            and not imported(trial)
        ]
        if these:
            parts.append(Spent(state, len(these), sum(these)))
    return Spending(tuple(parts), findings.spec.gpus)
