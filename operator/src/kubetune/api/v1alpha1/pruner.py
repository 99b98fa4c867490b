"""How running trials are cut short."""

from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from kubetune.api.v1alpha1.base import Number, Whole, Wire, rule, rules
from kubetune.domain.study import PrunerAlgorithm


class Patience(Wire):
    """Ends one trial by its own curve."""

    evaluations: Whole = Field(
        ge=1, le=100_000, description="So many reports without improvement end the trial."
    )
    min_delta: Number = Field(default=0.0, ge=0, description="An improvement is larger than this.")


class Pruner(Wire):
    """Compares running trials with others at the same step. Resources are steps as reported."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!has(self.algorithm) || !(self.algorithm in ['ASHA', 'Hyperband'])"
                " || has(self.maxResource)",
                "ASHA and Hyperband need maxResource: the step at which a full trial ends",
            ),
            rule(
                "!has(self.minResource) || !has(self.maxResource)"
                " || self.minResource < self.maxResource",
                "minResource must be below maxResource",
            ),
            rule(
                "!has(self.algorithm) || self.algorithm != 'Threshold'"
                " || has(self.lower) || has(self.upper)",
                "Threshold needs lower, upper or both",
            ),
            rule(
                "!has(self.lower) || !has(self.upper) || self.lower < self.upper",
                "lower must be below upper",
            ),
        )
    )

    algorithm: Annotated[PrunerAlgorithm, Field(strict=False)] = Field(
        default=PrunerAlgorithm.NONE, description="How running trials are compared."
    )
    min_resource: Number | None = Field(
        default=None, gt=0, description="ASHA, Hyperband: the step of the first rung. Default 1."
    )
    max_resource: Number | None = Field(
        default=None, gt=0, description="ASHA, Hyperband: the step at which a full trial ends."
    )
    reduction_factor: Whole | None = Field(
        default=None,
        ge=2,
        le=100,
        description="ASHA, Hyperband: one in so many trials passes a rung. Default 3.",
    )
    percentile: Number | None = Field(
        default=None, gt=0, lt=100, description="Percentile: the share of trials kept. Default 25."
    )
    startup_trials: Whole | None = Field(
        default=None,
        ge=0,
        le=10_000,
        description="Nothing is cut before so many trials have ended. Default 5.",
    )
    warmup_steps: Number | None = Field(
        default=None, ge=0, description="Nothing is cut before this step. Default 0."
    )
    lower: Number | None = Field(
        default=None, description="Threshold: a value below this ends the trial."
    )
    upper: Number | None = Field(
        default=None, description="Threshold: a value above this ends the trial."
    )
    p_threshold: Number | None = Field(
        default=None,
        gt=0,
        lt=1,
        description="Wilcoxon: how unlikely it must be that the trial is no worse. Default 0.1.",
    )
    patience: Patience | None = Field(
        default=None, description="Ends a trial whose own curve no longer improves."
    )
