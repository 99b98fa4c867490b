"""One trial: what was drawn, what it reported, how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from kubetune.domain.reasons import TrialReason
from kubetune.domain.values import Assignment, Metrics


class TrialState(StrEnum):
    """Where a trial stands.

        Running --> Complete | Pruned | Failed | Infeasible

    A trial is Running from its draw until its result is told, over all its attempts: waiting for
    a slot, retried after a disruption and suspended are all Running. The four ends are final.
    """

    RUNNING = "Running"
    COMPLETE = "Complete"
    PRUNED = "Pruned"
    FAILED = "Failed"
    INFEASIBLE = "Infeasible"

    @property
    def ended(self) -> bool:
        """Whether the trial has its result."""
        return self is not TrialState.RUNNING


class Stage(StrEnum):
    """What a trial is for."""

    SEARCH = "search"
    FINALIST = "finalist"
    HELD_OUT = "heldout"


@dataclass(frozen=True, slots=True)
class Point:
    """One report of a trial: its step and every metric known at that step."""

    step: float
    metrics: Metrics


@dataclass(frozen=True, slots=True)
class Outcome:
    """The end of a trial, as decided by the engine.

    `values`: one number per objective, in the study's order; empty unless Complete or Infeasible
    (a Pruned trial's value is the last of its curve). `constraints`: how far each outcome
    constraint is broken, in the study's order, <= 0 when kept; empty when nothing was measured.
    """

    state: TrialState
    reason: TrialReason
    message: str = ""
    values: tuple[float, ...] = ()
    constraints: tuple[float, ...] = ()
    metrics: Metrics = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One trial with its whole known history. Times are Unix seconds.

    `parameters` is what the trial runs with now: drawn, derived and fixed values, with
    adjustments after an out-of-memory applied. `attempt` counts from 1; `disruptions` and
    `out_of_memory` count what the retries were for. `rejected` counts, by constraint, the draws
    that were turned down on the way to this one. `curve` is in order of steps. `phase` names the
    phase it was drawn in; `repeats` is the number of the trial that a finalist's run repeats.
    """

    number: int
    state: TrialState
    parameters: Assignment
    active: frozenset[str] = frozenset()
    attempt: int = 1
    disruptions: int = 0
    out_of_memory: int = 0
    seed: int = 0
    stage: Stage = Stage.SEARCH
    phase: str = ""
    repeats: int | None = None
    initial: str = ""
    baseline: bool = False
    rejected: Mapping[str, int] = field(default_factory=dict)
    curve: tuple[Point, ...] = ()
    outcome: Outcome | None = None
    created_at: float = 0.0
    started_at: float | None = None
    ended_at: float | None = None

    @property
    def value(self) -> float | None:
        """The first objective's value, once there is one."""
        return self.outcome.values[0] if self.outcome and self.outcome.values else None

    @property
    def seconds(self) -> float | None:
        """How long it ran, over all attempts; None while it has not ended or never started."""
        if self.started_at is None or self.ended_at is None:
            return None
        return self.ended_at - self.started_at
