"""A study as the engine sees it: frozen, checked, without the wire's spelling."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kubetune.domain.expressions import Expression
from kubetune.domain.space import Space
from kubetune.domain.values import Assignment, Metrics, Value


class Direction(StrEnum):
    """Which way an objective is better."""

    MINIMIZE = "Minimize"
    MAXIMIZE = "Maximize"

    def better(self, left: float, right: float) -> bool:
        """Whether `left` is strictly better than `right`."""
        return left < right if self is Direction.MINIMIZE else left > right


class Summary(StrEnum):
    """How a trial's curve becomes its value."""

    BEST = "Best"
    LAST = "Last"


class SamplerAlgorithm(StrEnum):
    """How trials are drawn."""

    TPE = "TPE"
    GP = "GP"
    RANDOM = "Random"
    GRID = "Grid"
    QMC = "QMC"
    CMAES = "CMAES"
    NSGAII = "NSGAII"
    NSGAIII = "NSGAIII"
    BRUTE_FORCE = "BruteForce"


_LEARN_NOTHING = frozenset(
    {
        SamplerAlgorithm.RANDOM,
        SamplerAlgorithm.GRID,
        SamplerAlgorithm.QMC,
        SamplerAlgorithm.BRUTE_FORCE,
    }
)


class PrunerAlgorithm(StrEnum):
    """How running trials are compared with each other."""

    NONE = "None"
    MEDIAN = "Median"
    PERCENTILE = "Percentile"
    ASHA = "ASHA"
    HYPERBAND = "Hyperband"
    THRESHOLD = "Threshold"
    WILCOXON = "Wilcoxon"


class GuardOutcome(StrEnum):
    """How a trial ends when a guard holds."""

    FAILED = "Failed"
    PRUNED = "Pruned"


class OnFailure(StrEnum):
    """What becomes of a study whose gate does not hold."""

    STOP = "Stop"
    CONTINUE = "Continue"


class RankBy(StrEnum):
    """How the results of one configuration over several seeds become one number."""

    MEAN = "Mean"
    MEDIAN = "Median"
    WORST = "Worst"


class Keep(StrEnum):
    """Which checkpoints outlive their trials."""

    BEST = "Best"
    FINALISTS = "Finalists"
    ALL = "All"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """One metric to optimise. `target` reached ends the study (one objective only)."""

    metric: str
    direction: Direction
    target: float | None = None
    summary: Summary = Summary.BEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampler:
    """How to draw. A draw is a function of (seed, trial number, history) and nothing else."""

    algorithm: SamplerAlgorithm = SamplerAlgorithm.TPE
    seed: int = 0
    startup_trials: int = 10
    settings: Mapping[str, Value] = field(default_factory=dict)

    @property
    def learns(self) -> bool:
        """Whether what is drawn follows from the values of earlier trials."""
        return self.algorithm not in _LEARN_NOTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Stops one trial by its own curve: N evaluations without `min_delta` of improvement."""

    evaluations: int
    min_delta: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruner:
    """How running trials are cut. Resources are steps as the trial reports them.

    `percentile` (0..100) is the share of trials kept by Percentile; `lower` and `upper` are
    Threshold's bounds; `p_threshold` is Wilcoxon's; `startup_trials` and `warmup_steps` hold
    Median, Percentile, Wilcoxon and Threshold back.
    """

    algorithm: PrunerAlgorithm = PrunerAlgorithm.NONE
    min_resource: float = 1
    max_resource: float | None = None
    reduction_factor: int = 3
    percentile: float = 25.0
    startup_trials: int = 5
    warmup_steps: float = 0
    lower: float | None = None
    upper: float | None = None
    p_threshold: float = 0.1
    patience: Patience | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A rule checked at every report; the first that holds ends the trial."""

    name: str
    when: Expression
    outcome: GuardOutcome
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeConstraint:
    """A measured limit: a trial that breaks it is Infeasible, and the sampler learns it."""

    metric: str
    min: float | None = None
    max: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeClass:
    """A named class of finished trials, counted in the status."""

    name: str
    when: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """One parameter's new value after an out-of-memory."""

    name: str
    value: Expression


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialPolicy:
    """How many trials, how many at once, how long, and what is tried again."""

    max: int
    parallelism: int = 1
    max_failed: int | None = None
    timeout_seconds: float | None = None
    pending_timeout_seconds: float | None = None
    disruption_retries: int = 3
    out_of_memory_retries: int = 0
    crash_is_out_of_memory: bool = False
    on_out_of_memory: tuple[Adjustment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricQuery:
    """A metric that a trial does not report itself: PromQL over its own series."""

    name: str
    promql: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InitialTrial:
    """A trial that is tried first, or whose result is known and only imported."""

    name: str
    parameters: Assignment
    baseline: bool = False
    metrics: Metrics | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrow:
    """Coarse to fine: each range shrinks to `shrink` (0..1) of its width, around the best.

    The best are the `around_top` trials that lead when the phase begins.
    """

    around_top: int
    shrink: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What a phase's own trials must have shown before the study goes on."""

    require: Expression
    on_failure: OnFailure = OnFailure.STOP


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """One part of a search: so many trials, drawn from a space of its own.

    `trials` None: all that `trials.max` leaves. `space` is the study's, with the phase's own
    parameters in it; `narrow` shrinks it once the phase begins. The phase is left out where `when`
    does not hold of the trials before it.
    """

    name: str
    space: Space
    sampler: Sampler
    pruner: Pruner
    trials: int | None = None
    narrow: Narrow | None = None
    when: Expression | None = None
    gate: Gate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finalists:
    """The best `top` configurations run again with each of `seeds`; then the winner once more.

    `held_out_metric` is what that last run reports of data that nothing else has opened; None: it
    is not made. `fixed` values replace those of the search, as for longer trainings.
    """

    top: int
    seeds: tuple[int, ...]
    rank_by: RankBy = RankBy.MEAN
    held_out_metric: str | None = None
    fixed: Assignment = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plateau:
    """A phase is over when its last `trials` brought less than `min_improvement`, as a share."""

    trials: int
    min_improvement: float = 0.01


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What a study may use up: hours over all GPUs of all trials, seconds since it began."""

    gpu_hours: float | None = None
    wall_clock_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierStudy:
    """A study to begin from. `parameters` are values that its trials had without naming them."""

    name: str
    parameters: Assignment = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmStart:
    """Earlier studies whose `top` best trials each are taken over as known results."""

    studies: tuple[EarlierStudy, ...]
    top: int = 10


WHOLE_SEARCH = "search"
"""The phase of a study that names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StudySpec:
    """Everything a study asks for.

    `template` is the pod template, as plain data; `gpus` is how many of them one trial holds.
    """

    name: str
    namespace: str
    objectives: tuple[Objective, ...]
    space: Space
    sampler: Sampler
    pruner: Pruner
    trials: TrialPolicy
    guards: tuple[Guard, ...] = ()
    outcome_constraints: tuple[OutcomeConstraint, ...] = ()
    outcomes: tuple[OutcomeClass, ...] = ()
    initial_trials: tuple[InitialTrial, ...] = ()
    phases: tuple[Phase, ...] = ()
    finalists: Finalists | None = None
    plateau: Plateau | None = None
    budget: Budget = Budget()
    warm_start: WarmStart | None = None
    suspend: bool = False
    metrics_interval_seconds: float = 10.0
    metric_queries: tuple[MetricQuery, ...] = ()
    keep_checkpoints: Keep | None = None
    checkpoint_claim: str | None = None
    gpus: int = 0
    template: Mapping[str, Any] = field(default_factory=dict)

    @property
    def objective(self) -> Objective:
        """The first objective: the one that curves, pruning and progress lines follow."""
        return self.objectives[0]

    @property
    def course(self) -> tuple[Phase, ...]:
        """The phases in their order; one over the whole search where none is named."""
        if self.phases:
            return self.phases
        whole = Phase(name=WHOLE_SEARCH, space=self.space, sampler=self.sampler, pruner=self.pruner)
        return (whole,)

    def phase(self, name: str) -> Phase:
        """The phase of this name; the first for trials of none, or of one taken out since."""
        return next((item for item in self.course if item.name == name), self.course[0])
