"""Colours that say something."""

from grafana_foundation_sdk.builders.dashboard import FieldColor, ThresholdsConfig
from grafana_foundation_sdk.models.dashboard import FieldColorModeId, Threshold, ThresholdsMode


def limits(*steps: tuple[float, str], base: str = "green") -> ThresholdsConfig:
    """Colours from a value on."""
    found = [Threshold(value=None, color=base), *(Threshold(value=at, color=c) for at, c in steps)]
    return ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(found)


def by_limits() -> FieldColor:
    """Colours as the limits say."""
    return FieldColor().mode(FieldColorModeId.THRESHOLDS)
