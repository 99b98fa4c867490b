"""What is computed from parameters, and which combinations are not wanted."""

from typing import ClassVar

from pydantic import ConfigDict, Field

from kubetune.api.v1alpha1.base import Cel, Identifier, Label, Number, Sentence, Wire, rule, rules


class Derived(Wire):
    """A value computed from parameters; passed to the trial like one."""

    name: Identifier = Field(description="The value's name, like a parameter's.")
    value: Cel = Field(
        description="CEL over parameters, fixed values and derived values written before this one."
    )


class Constraint(Wire):
    """A combination of parameters that is never launched, or seldom."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        json_schema_extra=rules(
            rule(
                "has(self.forbid) != has(self.require)",
                "write either forbid (what must not be) or require (what must be)",
            ),
        )
    )

    name: Label = Field(description="The constraint's name in logs, counts and messages.")
    forbid: Cel | None = Field(
        default=None, description="CEL over parameters: no trial for which this is true."
    )
    require: Cel | None = Field(
        default=None, description="CEL over parameters: no trial for which this is false."
    )
    accept_probability: Number | None = Field(
        default=None,
        ge=0,
        lt=1,
        description="Makes the constraint soft: so large a share of matching draws is kept.",
    )
    message: Sentence = Field(default="", description="Why, for people who read a rejection.")
