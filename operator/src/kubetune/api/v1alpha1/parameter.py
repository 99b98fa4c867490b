"""What is searched: parameters and their ranges."""

from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from kubetune.api.v1alpha1.base import Cel, Identifier, Number, Scalar, Wire, rule, rules


class Parameter(Wire):
    """One parameter: a range (min, max) or a list (values)."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        json_schema_extra=rules(
            rule(
                "has(self.min) == has(self.max)",
                "min and max go together: write both, or values instead of them",
            ),
            rule(
                "!has(self.min) || !has(self.max) || self.min < self.max",
                "min must be below max; a value that never changes belongs into fixed",
            ),
            rule(
                "self.type != 'Categorical' || !has(self.min) && !has(self.step)",
                "a Categorical parameter has values, not min, max or step",
            ),
            rule("!has(self.step) || has(self.min)", "step needs min and max"),
            rule("!has(self.step) || self.step > 0.0", "step must be above 0", "step"),
            rule(
                "!has(self.scale) || self.scale != 'Log' || !has(self.min) || self.min > 0.0",
                "scale: Log needs min above 0",
                "min",
            ),
            rule(
                "self.type != 'Double' || !has(self.step) || !has(self.scale)"
                " || self.scale != 'Log'",
                "step and scale: Log exclude each other for a Double: leave one out",
            ),
        )
    )

    name: Identifier = Field(
        description="The parameter's name in expressions and in the trial's environment."
    )
    type: Literal["Double", "Integer", "Categorical"] = Field(
        description="Double: a number. Integer: a whole number. Categorical: one of values."
    )
    min: Number | None = Field(default=None, description="The smallest value.")
    max: Number | None = Field(default=None, description="The largest value.")
    step: Number | None = Field(
        default=None, description="Only min, min + step, ... up to max are drawn."
    )
    scale: Literal["Linear", "Log"] = Field(
        default="Linear",
        description="Log draws 0.001 to 0.01 as often as 0.01 to 0.1; it needs min above 0.",
    )
    values: Annotated[list[Scalar], Field(min_length=1, max_length=256)] | None = Field(
        default=None,
        description="The values to choose from, instead of min and max. Numbers are an ordered"
        " list for Integer and Double; Categorical has no order.",
    )
    when: Cel | None = Field(
        default=None,
        description="CEL over other parameters: the parameter is drawn only where this is true.",
    )
    otherwise: Scalar | None = Field(
        default=None,
        description="The value passed where `when` is false; without it none is passed.",
    )
