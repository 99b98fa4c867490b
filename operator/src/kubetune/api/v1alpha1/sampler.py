"""How trials are drawn."""

from typing import Annotated

from pydantic import Field

from kubetune.api.v1alpha1.base import Identifier, Scalar, Whole, Wire, filled
from kubetune.domain.study import Sampler as DomainSampler
from kubetune.domain.study import SamplerAlgorithm

_DEFAULTS = DomainSampler()


class Sampler(Wire):
    """The algorithm that proposes trials."""

    algorithm: Annotated[SamplerAlgorithm, Field(strict=False)] = Field(
        default=_DEFAULTS.algorithm, description="How the next trial is proposed."
    )
    seed: Whole = Field(
        default=_DEFAULTS.seed,
        ge=0,
        le=2**31 - 1,
        description="The same seed and the same results give the same draws.",
    )
    startup_trials: Whole = Field(
        default=_DEFAULTS.startup_trials,
        ge=0,
        le=10_000,
        description="So many trials are drawn at random before the algorithm learns.",
    )
    settings: Annotated[dict[Identifier, Scalar], Field(max_length=32)] = Field(
        default_factory=dict,
        description="Further settings of the algorithm, by name.",
        json_schema_extra=filled(),
    )
