"""What a study optimises."""

from typing import Annotated

from pydantic import Field

from kubetune.api.v1alpha1.base import Identifier, Number, Wire
from kubetune.domain.study import Direction, Summary


class Objective(Wire):
    """One metric to optimise."""

    metric: Identifier = Field(description="The metric's name, as the trial reports it.")
    direction: Annotated[Direction, Field(strict=False)] = Field(
        description="Whether a smaller (Minimize) or a larger (Maximize) value is better."
    )
    target: Number | None = Field(
        default=None,
        description="The study succeeds once a trial reaches this value. One objective only.",
    )
    summary: Annotated[Summary, Field(strict=False)] = Field(
        default=Summary.BEST,
        description="How a trial's curve becomes its value: its Best point, or its Last.",
    )
