"""The plain values that parameters take, and maps of them."""

from collections.abc import Mapping
from typing import TypeAlias

Value: TypeAlias = bool | int | float | str
"""What one parameter can be."""

Assignment: TypeAlias = Mapping[str, Value]
"""Parameter name to value: every active parameter, `otherwise`, derived and fixed value."""

Metrics: TypeAlias = Mapping[str, float]
"""Metric name to number; may hold NaN and infinities, as trials report them."""
