"""Trials that are given, not drawn."""

from pydantic import Field

from kubetune.api.v1alpha1.base import Assignment, Label, Measures, Wire


class InitialTrial(Wire):
    """A configuration that is tried first, or whose result is known."""

    name: Label = Field(description="The trial's name in logs and tables.")
    parameters: Assignment = Field(
        description="A value for each parameter that is active with these values.",
    )
    baseline: bool = Field(
        default=False,
        description="Other trials are compared with this one. At most one is the baseline.",
    )
    metrics: Measures | None = Field(
        default=None,
        description="A known result, with every objective's metric: imported, not run.",
    )
