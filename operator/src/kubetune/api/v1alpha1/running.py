"""How trials run: their metrics, checkpoints and pod template."""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import ConfigDict, Field

from kubetune.api.v1alpha1.base import Identifier, Number, Wire, keyed, rule, rules


class MetricQuery(Wire):
    """A metric that a trial does not report itself: PromQL over its own series."""

    name: Identifier = Field(description="The metric's name in guards, outcomes and results.")
    promql: Annotated[str, Field(min_length=1, max_length=2000)] = Field(
        alias="promQL",
        description="PromQL over series of the trial's pod. It sees the study's namespace only, and"
        " gives one value a trial.",
    )


class MetricSource(Wire):
    """Where live metrics come from."""

    source: Literal["Prometheus"] = Field(
        default="Prometheus", description="How live metrics are read."
    )
    interval_seconds: Number = Field(
        default=10.0, ge=0.05, le=3600, description="How often running trials are looked at."
    )
    queries: Annotated[list[MetricQuery], Field(max_length=16)] = Field(
        default_factory=list,
        description="Metrics that the trials do not report themselves. Read on a cluster only.",
        json_schema_extra=keyed(),
    )


class Checkpoints(Wire):
    """Where trials keep their checkpoints, and which are kept."""

    claim_name: Annotated[str, Field(min_length=1, max_length=253)] | None = Field(
        default=None, description="The persistent volume claim; not used by a local run."
    )
    keep: Literal["Best", "Finalists", "All"] = Field(
        default="Best", description="Which checkpoints outlive their trials."
    )


class Container(Wire):
    """A container; everything but its name is the cluster's own type."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="allow")

    name: Annotated[str, Field(min_length=1, max_length=63)] = Field(
        description="The container's name; the one named trainer is the trial."
    )


class PodSpec(Wire):
    """A pod's spec; everything but the containers' names is the cluster's own type."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        extra="allow",
        json_schema_extra=rules(
            rule(
                "self.containers.exists_one(c, c.name == 'trainer')",
                "name one container trainer: it is the trial",
                "containers",
            ),
        ),
    )

    containers: Annotated[list[Container], Field(min_length=1, max_length=32)] = Field(
        description="The pod's containers."
    )


class PodTemplate(Wire):
    """The pod that each trial runs in."""

    metadata: dict[str, Any] = Field(
        default_factory=dict, description="Labels and annotations of each trial's pod."
    )
    spec: PodSpec = Field(description="The pod's spec; the container named trainer is the trial.")
