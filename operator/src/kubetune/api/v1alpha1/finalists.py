"""What comes after a search, and what came before it."""

from typing import Annotated

from pydantic import Field

from kubetune.api.v1alpha1.base import Assignment, Identifier, Label, Whole, Wire, keyed
from kubetune.domain.study import RankBy

Seed = Annotated[Whole, Field(ge=0, le=2**31 - 1)]


class Finalists(Wire):
    """The best configurations run again with several seeds, ranked by those runs alone."""

    top: Whole = Field(default=3, ge=1, le=20, description="So many configurations are run again.")
    seeds: Annotated[list[Seed], Field(min_length=1, max_length=16)] = Field(
        description="Each of them with each of these seeds. A run that goes on with other values"
        " after an out-of-memory counts too, and those after it begin with these.",
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    rank_by: Annotated[RankBy, Field(strict=False)] = Field(
        default=RankBy.MEAN, description="How the runs of one configuration become one number."
    )
    held_out_metric: Identifier | None = Field(
        default=None,
        description="A metric on data that nothing else opens: the winner is run once more, in the"
        " stage heldout, to read it. Once in a study: who wins after more trials is not shown it.",
    )
    fixed: Assignment = Field(
        default_factory=dict,
        description="Values that replace those of the search. A trial that breaks a hard constraint"
        " with them is passed over.",
    )


class EarlierStudy(Wire):
    """A study to begin from: of the same namespace and database."""

    name: Label = Field(description="The study's name.")
    parameters: Assignment = Field(
        default_factory=dict,
        description="Values that its trials had without naming them, for parameters that are new.",
    )


class WarmStart(Wire):
    """Results of earlier studies, taken over once as known trials."""

    studies: Annotated[list[EarlierStudy], Field(min_length=1, max_length=16)] = Field(
        description="Their objectives must be the same. What lies outside this study's space is"
        " left out.",
        json_schema_extra=keyed(),
    )
    top: Whole = Field(
        default=10, ge=1, le=1000, description="So many of the best trials of each are taken over."
    )
