"""What comes after a search."""

from typing import Annotated

from pydantic import Field

from kubetune.api.v1alpha1.base import Assignment, Identifier, Whole, Wire
from kubetune.domain.study import RankBy

Seed = Annotated[Whole, Field(ge=0, le=2**31 - 1)]


class Finalists(Wire):
    """The best configurations run again with several seeds, ranked by those runs alone."""

    top: Whole = Field(default=3, ge=1, le=20, description="So many configurations are run again.")
    seeds: Annotated[list[Seed], Field(min_length=1, max_length=16)] = Field(
        description="Each of them with each of these seeds.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    rank_by: Annotated[RankBy, Field(strict=False)] = Field(
        default=RankBy.MEAN, description="How the runs of one configuration become one number."
    )
    held_out_metric: Identifier | None = Field(
        default=None,
        description="A metric on data that nothing else opens: the winner is run once more, in the"
        " stage heldout, to read it.",
    )
    fixed: Assignment = Field(
        default_factory=dict, description="Values that replace those of the search."
    )
