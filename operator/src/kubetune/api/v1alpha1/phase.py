"""The course of a search: its phases, and what ends it early."""

from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from kubetune.api.v1alpha1.base import Cel, Label, Number, Whole, Wire, keyed, rule, rules
from kubetune.api.v1alpha1.parameter import Parameter
from kubetune.api.v1alpha1.pruner import Pruner
from kubetune.api.v1alpha1.sampler import Sampler
from kubetune.domain.study import OnFailure


class Narrow(Wire):
    """Coarse to fine: ranges shrink around the best trials of the phases before."""

    around_top: Whole = Field(
        default=5, ge=1, le=100, description="The ranges are laid around so many of the best."
    )
    shrink: Number = Field(
        default=0.5,
        gt=0,
        le=1,
        description="The new width of each range as a share of the old one, on its own scale; more"
        " where those best lie farther apart.",
    )


class Gate(Wire):
    """What a phase must have shown before the study goes on."""

    require: Cel = Field(
        description="CEL over trials (complete, failed, pruned, infeasible, total), outcomes, best"
        " and baseline, all of this phase alone."
    )
    on_failure: Annotated[OnFailure, Field(strict=False)] = Field(
        default=OnFailure.STOP, description="Stop ends the study; Continue only says so."
    )


class Phase(Wire):
    """One part of the search."""

    name: Label = Field(description="The phase's name in status, logs and results.")
    trials: Whole | None = Field(
        default=None,
        ge=1,
        le=100_000,
        description="So many trials end the phase. The last phase may leave it out: it takes what"
        " trials.max leaves.",
    )
    when: Cel | None = Field(
        default=None,
        description="CEL as in gate.require, over all trials before: the phase is left out where"
        " it does not hold.",
    )
    gate: Gate | None = Field(
        default=None, description="What the phase must show before the study goes on."
    )
    narrow: Narrow | None = Field(
        default=None, description="Shrinks the ranges around the best trials so far."
    )
    parameters: Annotated[list[Parameter], Field(max_length=16)] = Field(
        default_factory=list,
        description="Parameters that are added, or that replace those of the same name.",
        json_schema_extra=keyed(),
    )
    sampler: Sampler | None = Field(
        default=None, description="How this phase's trials are drawn; else as the study's."
    )
    pruner: Pruner | None = Field(
        default=None, description="How this phase's trials are cut short; else as the study's."
    )


class Plateau(Wire):
    """Ends a phase that brings nothing new."""

    trials: Whole = Field(ge=1, le=100_000, description="The last so many trials are looked at.")
    min_improvement: Number = Field(
        default=0.01,
        ge=0,
        le=1,
        description="They must have improved the best value by this share of it.",
    )


class Budget(Wire):
    """Ends a study by time."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        json_schema_extra=rules(
            rule(
                "has(self.gpuHours) || has(self.wallClockSeconds)",
                "write gpuHours, wallClockSeconds or both",
            )
        )
    )

    gpu_hours: Number | None = Field(
        default=None, gt=0, description="Hours over all GPUs of all trials."
    )
    wall_clock_seconds: Number | None = Field(
        default=None, gt=0, description="Seconds since the study's first trial, pauses included."
    )


class Stopping(Wire):
    """What ends a search before its trials are used up."""

    plateau: Plateau | None = Field(
        default=None,
        description="Ends a phase whose last trials brought too little; not one that draws without"
        " learning (Random, Grid, QMC, BruteForce) and has others after it. One objective only.",
    )
    budget: Budget | None = Field(
        default=None,
        description="The time is used up. The search leaves what finals take, at most half of it.",
    )
