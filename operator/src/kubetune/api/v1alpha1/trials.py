"""How many trials, how many at once, how long, and what is tried again."""

from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field

from kubetune.api.v1alpha1.base import (
    Cel,
    Identifier,
    Number,
    Whole,
    Wire,
    keyed,
    rule,
    rules,
)


class Retries(Wire):
    """How often a trial is started again."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!has(self.crashIsOutOfMemory) || !self.crashIsOutOfMemory"
                " || has(self.outOfMemory) && self.outOfMemory > 0",
                "crashIsOutOfMemory is for a retry: write outOfMemory above 0",
                "crashIsOutOfMemory",
            ),
        )
    )

    disruption: Whole | None = Field(
        default=None,
        ge=0,
        le=100,
        description="After being killed from outside, from its checkpoint. Default 3.",
    )
    out_of_memory: Whole | None = Field(
        default=None,
        ge=0,
        le=100,
        description="After running out of memory, with onOutOfMemory applied. Default 0.",
    )
    crash_is_out_of_memory: bool = Field(
        default=False,
        description="A crash is taken for a lack of memory until it comes with less of it too: it"
        " is tried again as outOfMemory says.",
    )


class Adjustment(Wire):
    """One value that changes after a trial ran out of memory."""

    name: Identifier = Field(description="A parameter, derived or fixed value.")
    value: Cel = Field(description="CEL over parameters, derived and fixed values.")


class TrialPolicy(Wire):
    """The budget of a study and the fate of trials that are lost."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!has(self.onOutOfMemory) || size(self.onOutOfMemory) == 0"
                " || has(self.retries) && has(self.retries.outOfMemory)"
                " && self.retries.outOfMemory > 0",
                "onOutOfMemory is applied at a retry: write retries.outOfMemory above 0",
                "onOutOfMemory",
            ),
        )
    )

    max: Whole = Field(
        ge=1,
        le=100_000,
        description="So many trials end the search; initial trials count. Raised after the end, the"
        " study goes on, and its finals are held again among those that lead then.",
    )
    parallelism: Whole = Field(default=1, ge=1, le=1000, description="So many trials run at once.")
    max_failed: Whole | None = Field(
        default=None,
        ge=0,
        le=100_000,
        description="More failed trials than this end the study as failed.",
    )
    timeout_seconds: Number | None = Field(
        default=None, gt=0, description="A trial that runs longer fails with reason TimedOut."
    )
    pending_timeout_seconds: Number = Field(
        default=3600.0,
        gt=0,
        description="A trial that waits longer for a node or for its image fails with reason"
        " Unschedulable or ImagePullFailed. Waiting in a queue does not count.",
    )
    retries: Retries = Field(
        default_factory=Retries, description="How often a lost trial is started again."
    )
    on_out_of_memory: Annotated[list[Adjustment], Field(max_length=16)] = Field(
        default_factory=list,
        description="What changes before a trial that ran out of memory is tried again.",
        json_schema_extra=keyed(),
    )
