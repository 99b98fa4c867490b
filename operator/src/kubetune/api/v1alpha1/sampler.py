"""How trials are drawn."""

from typing import Annotated

from pydantic import Field

from kubetune.api.v1alpha1.base import Identifier, Scalar, Whole, Wire
from kubetune.domain.study import SamplerAlgorithm


class Sampler(Wire):
    """The algorithm that proposes trials."""

    algorithm: Annotated[SamplerAlgorithm, Field(strict=False)] = Field(
        default=SamplerAlgorithm.TPE, description="How the next trial is proposed."
    )
    seed: Whole | None = Field(
        default=None,
        ge=0,
        le=2**31 - 1,
        description="The same seed and the same results give the same draws. Default 0.",
    )
    startup_trials: Whole | None = Field(
        default=None,
        ge=0,
        le=10_000,
        description="So many trials are drawn at random before the algorithm learns. Default 10.",
    )
    settings: Annotated[dict[Identifier, Scalar], Field(max_length=32)] = Field(
        default_factory=dict, description="Further settings of the algorithm, by name."
    )
