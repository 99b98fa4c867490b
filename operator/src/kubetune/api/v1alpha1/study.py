"""The resource as a whole."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from kubetune.api.v1alpha1.base import Wire
from kubetune.api.v1alpha1.spec import TuningStudySpec

GROUP = "kubetune.io"
VERSION = "v1alpha1"
KIND = "TuningStudy"
STUDY_NAME = "^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"


class Metadata(Wire):
    """The part of an object's metadata that a study reads."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="allow")

    name: Annotated[str, Field(min_length=1, max_length=63, pattern=STUDY_NAME)] = Field(
        description="The study's name."
    )
    namespace: Annotated[str, Field(min_length=1, max_length=63, pattern=STUDY_NAME)] = Field(
        default="default", description="The study's namespace."
    )


class TuningStudy(Wire):
    """A study: its spec as a user writes it. What `status` holds is never read."""

    api_version: Literal["kubetune.io/v1alpha1"] = Field(description="kubetune.io/v1alpha1")
    kind: Literal["TuningStudy"] = Field(description="TuningStudy")
    metadata: Metadata = Field(description="Name and namespace.")
    spec: TuningStudySpec = Field(description="What to tune, how to search, how a trial runs.")
    status: Any = Field(default=None, description="Written by the operator.")
