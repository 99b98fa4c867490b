"""The status of a study: a bounded projection of its trials, written by the operator."""

from datetime import datetime
from typing import Annotated, TypeAlias

from pydantic import Field

from kubetune.api.v1alpha1.base import Assignment, Identifier, Label, Measures, Number, Wire, keyed
from kubetune.domain.reasons import StudyReason, TrialReason
from kubetune.domain.status import LIST_LIMIT, ConditionType, Truth
from kubetune.domain.trial import TrialState

Count: TypeAlias = Annotated[int, Field(ge=0)]
Message: TypeAlias = Annotated[str, Field(max_length=32768)]


class Condition(Wire):
    """One truth about the study."""

    type: ConditionType = Field(description="What the condition speaks of.")
    status: Truth = Field(description="Whether it holds.")
    reason: StudyReason = Field(description="Why, in one word.")
    message: Message = Field(default="", description="Why, in a sentence.")
    observed_generation: Count = Field(
        default=0, description="The generation of the spec that this speaks of."
    )
    last_transition_time: datetime = Field(description="When status last changed.")


class Counts(Wire):
    """Trials by state."""

    total: Count = Field(default=0, description="All trials.")
    active: Count = Field(default=0, description="Trials that run or wait to run.")
    complete: Count = Field(default=0, description="Trials with a result.")
    pruned: Count = Field(default=0, description="Trials cut short.")
    failed: Count = Field(default=0, description="Trials without a result.")
    infeasible: Count = Field(default=0, description="Trials that broke a measured limit.")


class ObjectiveValue(Wire):
    """One objective's value of a trial."""

    metric: Identifier = Field(description="The objective's metric.")
    value: Number = Field(description="Its value.")


class TrialSummary(Wire):
    """One trial, in short."""

    number: Count = Field(description="The trial's number, from 0.")
    state: TrialState = Field(description="Where the trial stands.")
    reason: TrialReason = Field(
        default=TrialReason.NONE, description="Why it ended; empty for a plain end."
    )
    parameters: Assignment = Field(
        default_factory=dict, description="What it ran with, derived and fixed values included."
    )
    value: Number | None = Field(default=None, description="The first objective's newest value.")
    step: Number | None = Field(default=None, description="The last step reported.")


class RankedTrial(Wire):
    """One of the best trials."""

    number: Count = Field(description="The trial's number, from 0.")
    parameters: Assignment = Field(
        description="What it ran with, derived and fixed values included."
    )
    value: Number = Field(description="The first objective's value.")
    objectives: Annotated[list[ObjectiveValue], Field(max_length=3)] = Field(
        default_factory=list,
        description="Every objective's value.",
        json_schema_extra=keyed("metric"),
    )
    metrics: Measures = Field(default_factory=dict, description="Its last metrics.")
    seed: Count | None = Field(default=None, description="The seed it was given.")
    improvement: Number | None = Field(
        default=None, description="Relative gain over the baseline; positive is better."
    )


class TuningStudyStatus(Wire):
    """Where a study stands. Conditions are the truth; phase is for people."""

    observed_generation: Count = Field(
        default=0, description="The generation of the spec that this speaks of."
    )
    phase: Annotated[str, Field(max_length=64)] = Field(
        default="", description="One word for people; nothing reads it back."
    )
    conditions: Annotated[list[Condition], Field(max_length=16)] = Field(
        default_factory=list,
        description="The truth about the study, for people and tools.",
        json_schema_extra=keyed("type"),
    )
    start_time: datetime | None = Field(default=None, description="When the study began.")
    completion_time: datetime | None = Field(default=None, description="When it ended.")
    trials: Counts | None = Field(default=None, description="Trials by state.")
    outcomes: Annotated[dict[Identifier, Count], Field(max_length=32)] = Field(
        default_factory=dict, description="Trials by the study's own classes."
    )
    rejected_draws: Annotated[dict[Label, Count], Field(max_length=64)] = Field(
        default_factory=dict, description="Draws turned down, by constraint."
    )
    feasible_share: Number | None = Field(
        default=None, ge=0, le=1, description="The share of the space that constraints leave."
    )
    best: RankedTrial | None = Field(default=None, description="The best trial so far.")
    pareto_front: Annotated[list[RankedTrial], Field(max_length=LIST_LIMIT)] = Field(
        default_factory=list,
        description="Trials that no other beats in every objective.",
        json_schema_extra=keyed("number"),
    )
    active: Annotated[list[TrialSummary], Field(max_length=LIST_LIMIT)] = Field(
        default_factory=list,
        description="Trials that run or wait to run.",
        json_schema_extra=keyed("number"),
    )
    recent: Annotated[list[TrialSummary], Field(max_length=LIST_LIMIT)] = Field(
        default_factory=list,
        description="The trials that ended last.",
        json_schema_extra=keyed("number"),
    )
    messages: Annotated[list[Message], Field(max_length=LIST_LIMIT)] = Field(
        default_factory=list, description="What people should know."
    )
