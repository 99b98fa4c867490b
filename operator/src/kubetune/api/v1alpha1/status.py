"""The status of a study: a bounded projection of its trials, written by the operator."""

from datetime import datetime
from typing import Annotated, Any, TypeAlias

from pydantic import Field

from kubetune.api.v1alpha1.base import (
    Identifier,
    Label,
    Measures,
    Number,
    Scalar,
    Sentence,
    Wire,
    keyed,
)
from kubetune.domain.limits import LIST_LIMIT
from kubetune.domain.reasons import StudyReason, TrialReason
from kubetune.domain.status import ConditionType, Evidence, Truth
from kubetune.domain.trial import TrialState

MESSAGE_LIMIT = 32_768
"""The longest message of a condition, in characters: Kubernetes' own limit."""
SENTENCE_LIMIT = 1024
"""The longest sentence elsewhere in a status, in characters."""

ATOMIC_LIST: dict[str, Any] = {"x-kubernetes-list-type": "atomic"}
ATOMIC_MAP: dict[str, Any] = {"x-kubernetes-map-type": "atomic"}
"""Owned as a whole: the record of who owns what stays small."""

Count: TypeAlias = Annotated[int, Field(ge=0)]
Message: TypeAlias = Annotated[str, Field(max_length=MESSAGE_LIMIT)]
Values: TypeAlias = Annotated[dict[Identifier, Scalar], Field(max_length=256)]


class Condition(Wire):
    """One truth about the study."""

    type: ConditionType = Field(description="What the condition speaks of.")
    status: Truth = Field(description="Whether it holds.")
    reason: StudyReason = Field(description="Why, in one word.")
    message: Message = Field(default="", description="Why, in a sentence.")
    observed_generation: Count | None = Field(
        default=None, description="The generation of the spec that this speaks of."
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
    reason: TrialReason | None = Field(
        default=None, description="Why it ended; nothing for a plain end."
    )
    message: Sentence | None = Field(default=None, description="Why it ended, in a sentence.")
    attempt: Annotated[int, Field(ge=1)] = Field(
        default=1, description="How often it was started, this time included."
    )
    parameters: Values = Field(
        default_factory=dict,
        description="What was drawn for it; 16 at most, long text cut short.",
        json_schema_extra=ATOMIC_MAP,
    )
    value: Number | None = Field(default=None, description="The first objective's newest value.")
    step: Number | None = Field(default=None, description="The last step reported.")
    progress: Number | None = Field(
        default=None, description="The share of its length that is done, from 0 to 1, as it says."
    )
    waiting: Sentence | None = Field(default=None, description="Why it does not start.")


class CheckpointPlace(Wire):
    """Where a trial saves its checkpoints."""

    claim_name: Annotated[str, Field(max_length=253)] = Field(
        description="The persistent volume claim."
    )
    path: Annotated[str, Field(max_length=255)] = Field(description="The folder in it.")


class RankedTrial(Wire):
    """One of the best trials."""

    number: Count = Field(description="The trial's number, from 0.")
    parameters: Values = Field(
        description="What it ran with, derived and fixed values included; in the Pareto front only"
        " what was drawn, long text cut short.",
        json_schema_extra=ATOMIC_MAP,
    )
    value: Number = Field(description="The first objective's value.")
    objectives: Annotated[list[ObjectiveValue], Field(max_length=3)] = Field(
        default_factory=list,
        description="Every objective's value.",
        json_schema_extra=ATOMIC_LIST,
    )
    metrics: Measures = Field(
        default_factory=dict, description="Its last metrics.", json_schema_extra=ATOMIC_MAP
    )
    seed: Count | None = Field(default=None, description="The seed it was given.")
    checkpoint: CheckpointPlace | None = Field(
        default=None, description="Where its checkpoints are, if it saved any."
    )
    improvement: Number | None = Field(
        default=None, description="Relative gain over the baseline; positive is better."
    )
    evidence: Evidence | None = Field(
        default=None,
        description="What it rests on: one run of the Search; Finalists, several seeds; HeldOut,"
        " data that nothing else opened as well.",
    )
    held_out: Number | None = Field(default=None, description="finalists.heldOutMetric, read once.")


class FinalistSummary(Wire):
    """A configuration that was run again with several seeds."""

    number: Count = Field(description="The trial of the search that it repeats.")
    score: Number | None = Field(
        default=None, description="What it is ranked by: finalists.rankBy over its runs."
    )
    low: Number | None = Field(
        default=None, description="Where the 95 % interval of the mean begins."
    )
    high: Number | None = Field(default=None, description="Where it ends.")
    values: Annotated[list[Number], Field(max_length=16)] = Field(
        default_factory=list,
        description="The objective of each complete run.",
        json_schema_extra=ATOMIC_LIST,
    )
    failed: Count = Field(default=0, description="Runs that were not completed.")


class BudgetUsed(Wire):
    """What a study has used up."""

    gpu_hours: Number | None = Field(
        default=None, description="Hours over all GPUs of the trials that have ended."
    )


class TuningStudyStatus(Wire):
    """Where a study stands. Conditions are the truth; phase is for people."""

    observed_generation: Count | None = Field(
        default=None, description="The generation of the spec that this speaks of."
    )
    phase: Annotated[str, Field(max_length=64)] = Field(
        default="", description="One word for people; nothing reads it back."
    )
    conditions: Annotated[list[Condition], Field(max_length=16)] = Field(
        default_factory=list,
        description="The truth about the study, for people and tools.",
        json_schema_extra=keyed("type"),
    )
    current_phase: Annotated[str, Field(max_length=63)] | None = Field(
        default=None, description="What trials are drawn for; nothing once the study has ended."
    )
    start_time: datetime | None = Field(default=None, description="When its first trial began.")
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
    finalists: Annotated[list[FinalistSummary], Field(max_length=LIST_LIMIT)] = Field(
        default_factory=list,
        description="The configurations that are run again, the best first.",
        json_schema_extra=ATOMIC_LIST,
    )
    budget: BudgetUsed | None = Field(default=None, description="What was used up.")
    pareto_front: Annotated[list[RankedTrial], Field(max_length=LIST_LIMIT)] = Field(
        default_factory=list,
        description="Trials that no other beats in every objective.",
        json_schema_extra=ATOMIC_LIST,
    )
    active: Annotated[list[TrialSummary], Field(max_length=LIST_LIMIT)] = Field(
        default_factory=list,
        description="Trials that run or wait to run.",
        json_schema_extra=ATOMIC_LIST,
    )
    recent: Annotated[list[TrialSummary], Field(max_length=LIST_LIMIT)] = Field(
        default_factory=list,
        description="The trials that ended last, the latest first.",
        json_schema_extra=ATOMIC_LIST,
    )
    messages: Annotated[list[Sentence], Field(max_length=LIST_LIMIT)] = Field(
        default_factory=list,
        description="What is worth a look and holds nothing up.",
        json_schema_extra=ATOMIC_LIST,
    )
