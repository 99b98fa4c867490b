"""The whole spec of a study."""

from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from kubetune.api.v1alpha1.base import Assignment, Wire, filled, keyed, rule, rules
from kubetune.api.v1alpha1.finalists import Finalists, WarmStart
from kubetune.api.v1alpha1.initial import InitialTrial
from kubetune.api.v1alpha1.objective import Objective
from kubetune.api.v1alpha1.parameter import Parameter
from kubetune.api.v1alpha1.phase import Phase, Stopping
from kubetune.api.v1alpha1.pruner import Pruner
from kubetune.api.v1alpha1.rules import Guard, OutcomeClass, OutcomeConstraint
from kubetune.api.v1alpha1.running import Checkpoints, MetricSource, PodTemplate
from kubetune.api.v1alpha1.sampler import Sampler
from kubetune.api.v1alpha1.space import Constraint, Derived
from kubetune.api.v1alpha1.trials import TrialPolicy

MOST_PHASES = 16


class TuningStudySpec(Wire):
    """What to tune, how to search, and how a trial runs."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        json_schema_extra=rules(
            rule(
                "size(self.objectives) == 1 || self.objectives.all(o, !has(o.target))",
                "target needs a single objective: leave it out, or keep one objective",
                "objectives",
            ),
            rule(
                "size(self.objectives) == 1 || !has(self.pruner)"
                " || self.pruner.algorithm == 'None' && !has(self.pruner.patience)",
                "a pruner needs a single objective: write algorithm: None without patience",
                "pruner",
            ),
            rule(
                "size(self.objectives) == 1 || !has(self.finalists)",
                "finalists need a single objective: leave them out, or keep one objective",
                "finalists",
            ),
            rule(
                "size(self.objectives) == 1 || !has(self.stopping) || !has(self.stopping.plateau)",
                "a plateau needs a single objective: leave it out, or keep one objective",
                "stopping",
            ),
            rule(
                "!has(self.initialTrials) || size(self.initialTrials.filter(t, t.baseline)) <= 1",
                "at most one initial trial is the baseline",
                "initialTrials",
            ),
        )
    )

    suspend: bool = Field(
        default=False,
        description="True launches nothing and stops running trials with a checkpoint; false"
        " again lets them go on from it.",
    )
    objectives: Annotated[list[Objective], Field(min_length=1, max_length=3)] = Field(
        description="What to optimise; more than one gives a Pareto front.",
        json_schema_extra=keyed("metric"),
    )
    parameters: Annotated[list[Parameter], Field(min_length=1, max_length=64)] = Field(
        description="What to search.", json_schema_extra=keyed()
    )
    derived: Annotated[list[Derived], Field(max_length=64)] = Field(
        default_factory=list,
        description="Values computed from parameters, passed to the trial like them.",
        json_schema_extra=keyed(),
    )
    fixed: Assignment = Field(
        default_factory=dict, description="Values that are the same in every trial."
    )
    constraints: Annotated[list[Constraint], Field(max_length=64)] = Field(
        default_factory=list,
        description="Combinations that are never launched, or seldom.",
        json_schema_extra=keyed(),
    )
    initial_trials: Annotated[list[InitialTrial], Field(max_length=64)] = Field(
        default_factory=list,
        description="Configurations that are tried first, or whose results are known.",
        json_schema_extra=keyed(),
    )
    sampler: Sampler = Field(
        default_factory=Sampler, description="How trials are drawn.", json_schema_extra=filled()
    )
    pruner: Pruner = Field(default_factory=Pruner, description="How trials are cut short.")
    guards: Annotated[list[Guard], Field(max_length=32)] = Field(
        default_factory=list,
        description="Rules checked at every report of a trial.",
        json_schema_extra=keyed(),
    )
    outcome_constraints: Annotated[list[OutcomeConstraint], Field(max_length=16)] = Field(
        default_factory=list,
        description="Measured limits that a good trial must keep.",
        json_schema_extra=keyed("metric"),
    )
    outcomes: Annotated[list[OutcomeClass], Field(max_length=32)] = Field(
        default_factory=list,
        description="Named classes of finished trials, counted in the status.",
        json_schema_extra=keyed(),
    )
    trials: TrialPolicy = Field(description="How many trials, how many at once, how long.")
    phases: Annotated[list[Phase], Field(max_length=MOST_PHASES)] = Field(
        default_factory=list,
        description="The parts of the search, one after the other; without them there is one.",
        json_schema_extra=keyed(),
    )
    finalists: Finalists | None = Field(
        default=None, description="Runs the best configurations again, with several seeds."
    )
    stopping: Stopping = Field(
        default_factory=Stopping, description="What ends the search before its trials are used up."
    )
    warm_start: WarmStart | None = Field(
        default=None, description="Begins from the results of earlier studies."
    )
    metrics: MetricSource = Field(
        default_factory=MetricSource, description="Where live metrics come from."
    )
    checkpoints: Checkpoints | None = Field(
        default=None, description="Where checkpoints are kept; without it there are none."
    )
    trial_template: PodTemplate = Field(description="The pod that each trial runs in.")
