"""Rules over what trials report: guards, measured limits, classes of outcomes."""

from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from kubetune.api.v1alpha1.base import Cel, Identifier, Label, Number, Sentence, Wire, rule, rules
from kubetune.domain.study import GuardOutcome


class Guard(Wire):
    """A rule checked at every report; the first that holds ends the trial."""

    name: Label = Field(description="The guard's name in logs and results.")
    when: Cel = Field(
        description="CEL over parameters, metrics, previous (each metric's last value before this"
        " report), best (the best trial's metrics), step, progress, elapsedSeconds."
    )
    outcome: Annotated[GuardOutcome, Field(strict=False)] = Field(
        description="How the trial ends: Failed, or Pruned (its value still counts)."
    )
    message: Sentence = Field(default="", description="Why, for people who read the result.")


class OutcomeConstraint(Wire):
    """A measured limit: a trial that breaks it is infeasible, and the sampler learns it."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        json_schema_extra=rules(
            rule("has(self.min) || has(self.max)", "write min, max or both"),
            rule(
                "!has(self.min) || !has(self.max) || self.min <= self.max",
                "min must not be above max",
            ),
        )
    )

    metric: Identifier = Field(description="The metric's name, as the trial reports it.")
    min: Number | None = Field(default=None, description="The smallest value allowed.")
    max: Number | None = Field(default=None, description="The largest value allowed.")


class OutcomeClass(Wire):
    """A named class of finished trials, counted in the status."""

    name: Identifier = Field(description="The class's name.")
    when: Cel = Field(description="CEL over state, reason, metrics and parameters.")
